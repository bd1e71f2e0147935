/** `posthorn dkim`: keys for signatures, and the DNS records by which receivers find them (RFC 6376 §3.6). */

import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Option } from 'commander';
import { type DkimKeyType, dkimRecord, generateDkimKey } from '../authentication/dkim-key.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/problem.ts';
import type { DkimConfig } from '../config/receiving.ts';
import { parseDomain } from '../mail/address.ts';
import { type CommonOptions, type Context, configOf, printJson } from './context.ts';
import type { CommandTree } from './define.ts';
import { CommandError } from './errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

interface GenerateOptions extends CommonOptions {
  selector?: string;
  type: DkimKeyType;
  out?: string;
}

export function addDkimCommands(tree: CommandTree, context: Context): void {
  const dkim = tree.root.command('dkim').description('make DKIM keys and their DNS records');
  tree.run(
    tree
      .add(dkim, 'generate <domain>', 'make a key, and print the DNS record to publish')
      .option(
        '--selector <name>',
        'name of the key in DNS (default: that of the configuration, or "posthorn")',
      )
      .addOption(new Option('--type <type>', 'kind of key').choices(['rsa', 'ed25519']).default('rsa'))
      .option('--out <file>', 'where to write the key (default: the file that the configuration names)')
      .option('--json', 'print JSON'),
    (options: GenerateOptions, domain: string) => generate(context, options, domain),
  );
  tree.run(
    tree
      .add(dkim, 'record <domain>', 'print the DNS records of the configured keys')
      .option('--json', 'print JSON'),
    (options, domain: string) => showRecord(context, options, domain),
  );
}

/** Works before there is a configuration, or while it names a key that is not there yet. */
async function generate(context: Context, options: GenerateOptions, domain: string): Promise<ExitCode> {
  const name = readDomain(domain);
  const config = await configIfAny(context, options);
  const keys = config?.domains.find((candidate) => candidate.name === name)?.dkim ?? [];
  const configured = await findConfigured(keys, options.selector);
  const selector = options.selector ?? configured?.selector ?? 'posthorn';
  const file = resolve(context.terminal.cwd, options.out ?? configured?.key ?? `${name}.${selector}.pem`);
  const pem = await generateDkimKey(options.type);
  await mkdir(dirname(file), { recursive: true });
  await writeNew(file, pem);
  printRecord(context, options, { name, selector, file, pem });
  if (config && !config.domains.some((candidate) => candidate.name === name))
    context.terminal.err(`posthorn: ${config.file} has no [[domain]] name = "${name}" yet\n`);
  if (!options.json && configured?.key !== file) {
    const line = `dkim = { selector = "${selector}", key = "${file}" }`;
    context.terminal.out(`\nIn the configuration, below name = "${name}":\n\n  ${line}\n`);
  }
  return exitCodes.ok;
}

/** The key of that selector; without one, the first that is not there yet, so that each is made in its turn. */
async function findConfigured(
  keys: readonly DkimConfig[],
  selector: string | undefined,
): Promise<DkimConfig | undefined> {
  if (selector !== undefined) return keys.find((key) => key.selector === selector);
  for (const configured of keys) {
    const isThere = await access(configured.key).then(
      () => true,
      () => false,
    );
    if (!isThere) return configured;
  }
  return keys[0];
}

async function configIfAny(context: Context, options: CommonOptions): Promise<Config | undefined> {
  try {
    return await configOf(context, options, { checkFiles: false });
  } catch (error) {
    if (error instanceof ConfigError && options.config === undefined) return undefined;
    throw error;
  }
}

/** Never over a file that exists: it may hold the key that mail on its way is signed with. */
async function writeNew(file: string, pem: string): Promise<void> {
  try {
    await writeFile(file, pem, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    const remedy = 'Its key may be in use. Choose another file with --out, and another --selector.';
    throw new CommandError(exitCodes.cantCreate, `${file} exists already. ${remedy}`);
  }
}

async function showRecord(context: Context, options: CommonOptions, domain: string): Promise<ExitCode> {
  const name = readDomain(domain);
  const { domains, file } = await configOf(context, options);
  const { dkim = [] } = domains.find((candidate) => candidate.name === name) ?? {};
  if (dkim.length === 0) {
    const text = `${file} names no DKIM key for ${name}. To make one: posthorn dkim generate ${name}`;
    throw new CommandError(exitCodes.noUser, text);
  }
  const keys = await Promise.all(
    dkim.map(async ({ selector, key }) => ({ name, selector, file: key, pem: await readFile(key, 'utf8') })),
  );
  const [only, ...others] = keys.map(recordJson);
  if (options.json) printJson(context, others.length === 0 ? only : [only, ...others]);
  else for (const key of keys) printRecord(context, options, key);
  return exitCodes.ok;
}

interface Key {
  name: string;
  selector: string;
  file: string;
  pem: string;
}

function printRecord(context: Context, options: CommonOptions, { name, selector, file, pem }: Key): void {
  if (options.json) return printJson(context, recordJson({ name, selector, file, pem }));
  const { value, strings } = dkimRecord(pem);
  const host = `${selector}._domainkey.${name}`;
  const quoted = strings.map((string) => `"${string}"`).join('\n  ');
  context.terminal.out(
    [
      `Key: ${file}`,
      '',
      'For a zone file:',
      '',
      `${host}. IN TXT (\n  ${quoted} )`,
      '',
      "To paste into a DNS provider's form, type TXT:",
      '',
      `  name   ${host}`,
      `  value  ${value}`,
      '',
    ].join('\n'),
  );
}

function recordJson({ name, selector, file, pem }: Key) {
  const host = `${selector}._domainkey.${name}`;
  return { domain: name, selector, file, host, type: 'TXT', value: dkimRecord(pem).value };
}

function readDomain(text: string): string {
  const domain = parseDomain(text);
  if (domain !== undefined) return domain;
  throw new CommandError(
    exitCodes.usage,
    `"${text}" is not a domain. Give the part after the @, such as example.com.`,
  );
}
