/**
 * Lists of aliases as other servers have them: `address target, target` (Postfix's virtual_alias_maps), `address: target`
 * (/etc/aliases, aliases(5)), `address,target`. What such a line may say beyond that, and an alias here cannot, is named with what
 * there is instead.
 */

export interface AliasRow {
  line: number;
  address: string;
  targets: string[];
}

/** One to a line; a line that begins with a blank goes on, and `#` begins a comment. */
export function readAliases(text: string, domain?: string): AliasRow[] {
  const rows: AliasRow[] = [];
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
    const last = /^\s/.test(line) ? rows.at(-1) : undefined;
    if (last) last.targets.push(...wordsOf(line).map(inDomain(domain)));
    else rows.push({ line: index + 1, ...readRow(line, inDomain(domain)) });
  }
  return rows;
}

function readRow(line: string, whole: (name: string) => string): Omit<AliasRow, 'line'> {
  // aliases(5) has a colon behind the name, with or without blanks around it.
  const [, name, rest] = /^([^\s":,@][^\s":,]*)\s*:(.*)$/.exec(line.trim()) ?? [];
  const [address = '', ...targets] = name === undefined ? wordsOf(line) : [name, ...wordsOf(rest ?? '')];
  return { address: whole(address), targets: targets.map(whole) };
}

/** What is quoted is one word, as a local part or the command of a program. */
const wordsOf = (text: string): string[] => text.match(/(?:"[^"]*"|[^\s,"])+/g) ?? [];

/** Programs, files and lists have no domain. */
const inDomain = (domain: string | undefined) => (name: string) =>
  domain === undefined || name.includes('@') || /^"?[|/:]/.test(name) ? name : `${name}@${domain}`;

/** Why there is no alias of that kind, and what there is; undefined where it looks like one. */
export function findForeign({ address, targets }: AliasRow): string | undefined {
  if (address.startsWith('@')) return ofWholeDomain(address.slice(1), targets);
  if (targets.length === 0) return `${address} leads nowhere. Write a target behind it`;
  for (const target of targets) {
    const bare = target.replace(/^"/, '');
    if (bare.startsWith('|'))
      return `${target}: an alias leads to no program. Let it lead to an address in a domain of a [[transport]] with protocol = "pipe"`;
    if (bare.startsWith('/'))
      return `${target}: an alias leads to no file. Make an account for it; or leave it out, and mail for it is refused`;
    if (bare.startsWith(':include:'))
      return `${target}: write the addresses of that file in its place (for a mailing list: posthorn alias --owner)`;
    if (bare.startsWith('@'))
      return `${target} is a whole domain. Only a whole domain can lead there: aliasOf below its [[domain]]`;
  }
  return undefined;
}

function ofWholeDomain(domain: string, targets: readonly string[]): string {
  const [target = '', ...others] = targets;
  if (target.startsWith('@'))
    return `all of ${domain} is no alias. In the configuration: aliasOf = "${target.slice(1)}" below [[domain]] name = "${domain}"`;
  const several = others.length > 0 ? ' (one address: make an alias for several, and name that)' : '';
  return `all of ${domain} is no alias. In the configuration: catchAll = "${target}" below [[domain]] name = "${domain}"${several}`;
}
