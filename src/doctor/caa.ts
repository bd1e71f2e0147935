/** Whether CAA records let our certificate authority issue for the name of the server. RFC 8659 §3, §4.2. */

import type { WantedRecord } from '../records/wanted-record.ts';
import { textsOf } from './answers.ts';
import type { DnsLooks } from './dns-looks.ts';
import { type Finding, found, good } from './finding.ts';

export interface CaaParts {
  looks: DnsLooks;
  /** Names that certificates are to be issued for. */
  names: readonly string[];
  /** Empty: certificates do not come by ACME, and nothing is known of who issues them. */
  wanted: readonly WantedRecord[];
}

export async function examineCaa({ looks, names, wanted }: CaaParts): Promise<Finding[]> {
  const issuers = wanted.map(({ data }) => issuerOf(data)).filter((issuer) => issuer !== '');
  if (issuers.length === 0) return [];
  const findings: Finding[] = [];
  for (const name of names) {
    const { at, texts } = await relevantRecords(looks, name);
    const allowed = texts.filter((text) => /^\d+ issue /.test(text)).map(issuerOf);
    if (allowed.length === 0 || issuers.some((issuer) => allowed.includes(issuer))) continue;
    findings.push(
      found('caa-forbids', {
        evidence: `CAA of ${at} allows ${allowed.map((issuer) => issuer || 'nobody').join(', ')} to issue for ${name}, not ${issuers.join(' or ')}`,
        remedy: 'The certificate cannot be renewed. Add this record, or remove the others.',
        record: { name: at, type: 'CAA', data: `0 issue "${issuers[0]}"` },
      }),
    );
  }
  if (findings.length > 0) return findings;
  const [first] = wanted;
  const own = first && (await looks.see(first.name, 'CAA'));
  if (first && own?.status === 'none')
    return [
      found('caa-missing', {
        evidence: `${first.name} has no CAA record`,
        remedy: 'Optional: with it, no other authority issues a certificate for the name.',
        record: first,
      }),
    ];
  return [good('CAA', `${issuers.join(', ')} may issue`)];
}

/** `0 issue "ca.example; accounturi=…"` → `ca.example`. */
const issuerOf = (text: string): string => (/"\s*([^;"\s]*)/.exec(text)?.[1] ?? '').toLowerCase();

/** Those of the name, or of the nearest name above it that has any. */
async function relevantRecords(looks: DnsLooks, name: string): Promise<{ at: string; texts: string[] }> {
  const labels = name.split('.');
  for (let depth = 0; depth < labels.length - 1; depth += 1) {
    const at = labels.slice(depth).join('.');
    const texts = textsOf(await looks.see(at, 'CAA'));
    if (texts.length > 0) return { at, texts };
  }
  return { at: name, texts: [] };
}
