/**
 * Whether CAA records let our certificate authority issue for the name of the server, to our account, by our method. RFC 8659 §3,
 * §4.2; RFC 8657 §3, §4.
 */

import type { WantedRecord } from '../records/wanted-record.ts';
import { textsOf } from './answers.ts';
import type { DnsLooks } from './dns-looks.ts';
import { type Finding, found, good, quote } from './finding.ts';

export interface CaaParts {
  looks: DnsLooks;
  /** Names that certificates are to be issued for, `*.example.com` among them; our own first. */
  names: readonly string[];
  /** Empty: certificates do not come by ACME, and nothing is known of who issues them. */
  wanted: readonly WantedRecord[];
}

/** `0 issue "ca.example; accounturi=…; validationmethods=…"`. */
interface Permission {
  text: string;
  /** Empty: nobody. */
  issuer: string;
  accounts: readonly string[];
  methods: readonly string[] | undefined;
}

export async function examineCaa({ looks, names, wanted }: CaaParts): Promise<Finding[]> {
  const ours = wanted.map(({ data }) => permissionIn(data)).filter(({ issuer }) => issuer !== '');
  const [first] = wanted;
  if (ours.length === 0 || first === undefined) return [];
  const relevant = await Promise.all(
    names.map(async (name) => ({ name, ...(await relevantRecords(looks, withoutStar(name))) })),
  );
  const judged = await Promise.all(
    [...Map.groupBy(relevant, keyOf).values()].map(async ([one, ...others]) => {
      if (one === undefined) return [];
      const { name, at, texts, why } = one;
      if (why !== undefined) return unanswered(looks, { name, at, why });
      const tag = tagFor(name, texts);
      const allowed = texts.filter((text) => tagOf(text) === tag).map(permissionIn);
      const data = first.data.replace(' issue ', ` ${tag} `);
      return judge({ name, at, allowed, ours, data }).map((finding) => withOthers(finding, others));
    }),
  );
  const findings = judged.flat();
  if (findings.length > 0) return findings;
  const own = await looks.see(first.name, 'CAA');
  // Where nobody tells, nothing is permitted; why not is said of the other records.
  if (own.status === 'unknown') return [];
  if (own.status === 'none')
    return [
      found('caa-missing', {
        evidence: `${first.name} has no CAA record`,
        remedy: 'Optional: with it, no other authority issues a certificate for the name.',
        record: first,
      }),
    ];
  return [good('CAA', `${ours.map(({ issuer }) => issuer).join(', ')} may issue`)];
}

type Relevant = Awaited<ReturnType<typeof relevantRecords>> & { name: string };

const withOthers = (finding: Finding, others: readonly Relevant[]): Finding => {
  if (others.length === 0) return finding;
  const names = others.map(({ name }) => name).join(', ');
  return { ...finding, evidence: `${finding.evidence} (the same is found for ${names})` };
};

/** What is said of several names, by an alias or by a name above them, is found once. */
const keyOf = ({ name, at, texts, why }: Relevant): string =>
  JSON.stringify([name.startsWith('*.'), why === undefined ? texts.toSorted() : at]);

const withoutStar = (name: string): string => name.replace(/^\*\./, '');

/** RFC 8659 §4.3: for wildcards, those for wildcards alone, where there are any. */
const tagFor = (name: string, texts: readonly string[]): string =>
  name.startsWith('*.') && texts.some((text) => tagOf(text) === 'issuewild') ? 'issuewild' : 'issue';

const tagOf = (text: string): string => text.split(' ', 2)[1]?.toLowerCase() ?? '';

interface Judging {
  name: string;
  /** Where the records stand. */
  at: string;
  allowed: readonly Permission[];
  ours: readonly Permission[];
  /** Of the record that would be right. */
  data: string;
}

/** One record that lets our account have a certificate is enough (RFC 8659 §4.2). */
function judge({ name, at, allowed, ours, data }: Judging): Finding[] {
  if (allowed.length === 0) return [];
  const pairs = ours.flatMap((own) =>
    allowed.filter(({ issuer }) => issuer === own.issuer).map((theirs) => ({ own, theirs })),
  );
  const [first] = pairs;
  const record = { name: at, type: 'CAA', data } as const;
  if (first === undefined)
    return [
      found('caa-forbids', {
        evidence: `CAA of ${at} allows ${allowed.map(({ issuer }) => issuer || 'nobody').join(', ')} to issue for ${name}, not ${ours.map(({ issuer }) => issuer).join(' or ')}`,
        remedy: 'The certificate cannot be renewed. Add this record, or remove the others.',
        record,
      }),
    ];
  if (pairs.some(({ own, theirs }) => isOurAccount(own, theirs) && isOurMethod(own, theirs))) return [];
  const { own, theirs } = first;
  const mending = {
    remedy: `The authority will refuse the next certificate. ${at === name ? 'Replace the record by' : `Enter, for ${name} alone,`} this one.`,
    record: { ...record, name },
  };
  if (!isOurAccount(own, theirs)) {
    const isKnown = own.accounts.length > 0;
    const ourAccount = isKnown
      ? `our account is ${own.accounts.join(', ')}`
      : 'this server knows of no account of its own there';
    const lost = `Where it was lost, bring acme/account.json back from a backup. Else: ${lowered(mending.remedy)}`;
    return [
      found('caa-other-account', {
        evidence: `CAA of ${at} has ${quote(theirs.text, 300)}; ${ourAccount}`,
        ...mending,
        ...(!isKnown && { remedy: lost }),
      }),
    ];
  }
  return [
    found('caa-other-method', {
      evidence: `CAA of ${at} has ${quote(theirs.text, 300)}; ours is ${own.methods?.join(', ')}`,
      ...mending,
    }),
  ];
}

/** Who has no account yet will have another one than is named there. Two accounts fit nobody (RFC 8657 §3). */
const isOurAccount = (own: Permission, { accounts }: Permission): boolean =>
  accounts.length === 0 || (accounts.length === 1 && own.accounts[0] === accounts[0]);

const lowered = (sentence: string): string => sentence.charAt(0).toLowerCase() + sentence.slice(1);

const isOurMethod = (own: Permission, { methods }: Permission): boolean =>
  methods === undefined || (own.methods ?? []).every((method) => methods.includes(method));

function permissionIn(text: string): Permission {
  const value = /"(.*)"/s.exec(text)?.[1] ?? '';
  const [issuer = '', ...parameters] = value.split(';').map((part) => part.trim());
  const valuesOf = (tag: string) =>
    parameters.flatMap((parameter) => {
      const at = parameter.indexOf('=');
      return parameter.slice(0, at).trim().toLowerCase() === tag ? [parameter.slice(at + 1).trim()] : [];
    });
  const methods = valuesOf('validationmethods');
  return {
    text,
    issuer: issuer.toLowerCase(),
    accounts: valuesOf('accounturi'),
    methods: methods.length === 0 ? undefined : methods.flatMap((list) => list.split(',')),
  };
}

/** An authority that does not hear whether it may issue does not (RFC 8659 §3); of other types there are answers. */
async function unanswered(
  looks: DnsLooks,
  { name, at, why }: { name: string; at: string; why: string },
): Promise<Finding[]> {
  const others = await Promise.all((['A', 'AAAA'] as const).map((type) => looks.see(name, type)));
  if (!others.some(({ status }) => status === 'found')) return [];
  return [
    found('caa-unanswered', {
      evidence: `nobody tells whether ${at} has a CAA record: ${why}`,
      remedy:
        'The authority will refuse the next certificate. It is a fault of the DNS software or of a firewall that does not let CAA through: tell your DNS provider.',
    }),
  ];
}

/** Those of the name, or of the nearest name above it that has any. */
async function relevantRecords(
  looks: DnsLooks,
  name: string,
): Promise<{ at: string; texts: string[]; why?: string }> {
  const labels = name.split('.');
  for (let depth = 0; depth < labels.length - 1; depth += 1) {
    const at = labels.slice(depth).join('.');
    const seen = await looks.see(at, 'CAA');
    if (seen.status === 'unknown') return { at, texts: [], why: seen.why ?? '' };
    const texts = textsOf(seen);
    if (texts.length > 0) return { at, texts };
  }
  return { at: name, texts: [] };
}
