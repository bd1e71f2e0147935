/** What DMARC asks for and why, in words: for the dossier, and for the client that is refused. */

import type { DmarcVerdict } from '../authentication/verdicts.ts';
import { type Authentication, identifiersOf, isUnchecked, possibleOutcomes } from './dmarc-outcome.ts';

/** Why nothing was held against the message. */
export function nothingWords(found: Authentication): string {
  const { dmarc, spf, dkim, arc } = found;
  if (arc?.trusted && dmarc.result !== 'pass') return `DMARC does not pass here, but ${arc.trusted.reason}`;
  switch (dmarc.result) {
    case 'pass':
      return `DMARC passes, ${dmarc.reason}`;
    case 'none':
      return `${dmarc.reason}; without one neither SPF (${spf.result}) nor DKIM (${dkimResults(dkim)}) decides anything`;
    case 'fail':
      return `DMARC fails, but ${policyWords(dmarc)}, which asks for no action`;
    default:
      return possibleOutcomes(found).size === 1
        ? `${dmarc.reason}; but any answer would have led here too`
        : `${dmarc.reason}, which is held against nobody`;
  }
}

export function quarantineWords(found: Authentication): string {
  const { dmarc } = found;
  if (!dmarc.policies.includes('reject')) return `DMARC fails and ${policyWords(dmarc)}`;
  const passing = identifiersOf(found).filter(({ result }) => result === 'pass');
  const unchecked = found.dkim.filter(isUnchecked).map(({ reason }) => reason);
  const by = [
    ...passing.map(({ mechanism, domain }) => `${mechanism} passes for ${domain}`),
    ...unchecked,
  ].join(', ');
  return `DMARC fails and ${policyWords(dmarc)}; not refused, as ${by} (RFC 9989 §7.4)`;
}

export function rejectWords(found: Authentication): string {
  const { spf, dmarc } = found;
  const signature = signatureWords(found);
  return `${policyWords(dmarc)}, and nothing authenticates the message: SPF ${spf.result} (${spf.reason}), DKIM ${signature}`;
}

export const undecidableWords = ({ dmarc }: Authentication): string =>
  `${dmarc.reason}, so that nobody can say whose DMARC policy applies (RFC 9989 §5.3.1)`;

/** What would have made DMARC pass; ends "… if". */
export function remedyWords({ dmarc: { domain, alignment } }: Authentication): string {
  const related = alignment?.spf === 'strict' && alignment.dkim === 'strict' ? '' : ' or a related domain';
  return `SPF passed, or a DKIM signature were valid, for ${domain}${related}`;
}

/** What the client is told; each line fits a reply with the longest of names. */
export function refusalLines(found: Authentication, clientAddress: string): string[] {
  const { dmarc, spf } = found;
  return [
    `Refused as ${dmarc.domain} asks for (DMARC policy "reject", RFC 9989): nothing authenticates this message.`,
    `SPF is "${spf.result}" for ${spf.domain || 'no domain'} from ${clientAddress}.`,
    `DKIM: ${signatureWords(found)}.`,
    `Send from a host that the SPF record permits, or with a DKIM signature of ${dmarc.domain}.`,
  ];
}

/** The failed look-ups, each with its reason. */
export function openWords({ spf, dkim, dmarc }: Authentication): string {
  const open = [
    ...(spf.result === 'temperror' ? [`SPF of ${spf.domain} is not known (${spf.reason})`] : []),
    ...dkim
      .filter(({ result }) => result === 'temperror')
      .map(({ domain, reason }) => `the DKIM key of ${domain || 'a signature'} is not known (${reason})`),
    ...(dmarc.result === 'temperror' ? [`DMARC of ${dmarc.domain} is not known (${dmarc.reason})`] : []),
  ];
  return open.join('; ');
}

/** What has to be looked up, in short. */
export function openName({ spf, dkim, dmarc }: Authentication): string {
  const key = dkim.find(({ result }) => result === 'temperror');
  if (dmarc.result === 'temperror') return `the DMARC policy of ${dmarc.domain}`;
  return spf.result === 'temperror'
    ? `the SPF record of ${spf.domain}`
    : `the DKIM key of ${key?.domain || 'a signature'}`;
}

function policyWords({ policies, policyDomain, published, domain }: DmarcVerdict): string {
  const testing = published?.testing ? ', softened by t=y' : '';
  return `the policy of ${policyDomain ?? domain} for ${domain} is "${policies.join('" or "')}"${testing}`;
}

function signatureWords({ dkim }: Authentication): string {
  const [first] = dkim;
  if (first === undefined) return 'the message is not signed';
  const signer = first.domain === '' ? '' : ` of ${first.domain}`;
  const others = dkim.length > 1 ? `, and ${dkim.length - 1} more without a pass` : '';
  return `the signature${signer} is "${first.result}"${others}`;
}

const dkimResults = (dkim: Authentication['dkim']): string =>
  dkim.map(({ result }) => result).join(', ') || 'not signed';
