/** What the sender checks found, and by which record or name: the inputs of their verdicts, a line for each. */

import type { ArcVerdict, DkimVerdict, SpfVerdict } from '../authentication/verdicts.ts';
import type { Facts } from '../policy/facts.ts';

/** Signatures and ARC sets that are told of; the facts hold the rest. */
const toldSignatures = 5;

export function senderWords({ spf, spfHelo, dkim = [], dmarc, iprev, arc }: Facts): string[] {
  return [
    ...(spf ? spfWords('SPF', spf) : []),
    ...(spfHelo ? spfWords('SPF of HELO', spfHelo) : []),
    ...dkim.slice(0, toldSignatures).map(signatureWords),
    ...(arc && arc.result !== 'none' ? [arcWords(arc)] : []),
    ...(dmarc
      ? [`DMARC: ${dmarc.reason}${byRecord(dmarc.record, dmarc.policyDomain)}${askedWords(dmarc)}`]
      : []),
    ...(iprev && iprev.reason !== '' ? [`reverse name: ${iprev.reason}`] : []),
  ];
}

/** An explanation is a stranger's, and is told as such (RFC 7208 §6.2). */
function spfWords(
  title: string,
  { reason, record, recordDomain, domain, explanation }: SpfVerdict,
): string[] {
  const words = `${title}: ${reason}${byRecord(record, recordDomain)}`;
  return explanation === undefined
    ? [words]
    : [words, `in the words of ${domain}, which nobody has checked: "${explanation}"`];
}

const byRecord = (record: string | undefined, domain: string | undefined): string =>
  record === undefined ? '' : ` (record${domain === undefined ? '' : ` of ${domain}`}: ${record})`;

function signatureWords({ domain, selector, reason, keyRecord, keyBits }: DkimVerdict): string {
  const key = keyBits === undefined ? 'key' : `key of ${keyBits} bits`;
  const record = keyRecord === undefined ? '' : ` (${key}: ${keyRecord})`;
  return `DKIM${domain === '' ? '' : ` of ${domain}, selector ${selector}`}: ${reason}${record}`;
}

function arcWords({ result, reason, trusted }: ArcVerdict): string {
  return `ARC: ${result}, ${reason}${trusted ? `; ${trusted.reason}` : ''}`;
}

/** Where there is no record, where it was looked for. */
function askedWords({ record, asked = [] }: { record?: string; asked?: readonly string[] }): string {
  return record !== undefined || asked.length === 0
    ? ''
    : ` (asked for: ${asked.map((name) => `_dmarc.${name}`).join(', ')})`;
}
