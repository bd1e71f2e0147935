/** What a DMARC report says of one message: a pure function of its verdicts and of what became of it. RFC 9990 §3.1.1. */

import type { DkimVerdict, DmarcVerdict, Verdicts } from '../authentication/verdicts.ts';
import type { AggregateRecord, PublishedPolicy } from '../dmarc-rpt/report.ts';
import { type CountedMessage, maxSignatures } from '../dmarc-rpt/tally.ts';
import { parseAddress } from '../mail/address.ts';
import type { Header } from '../mail/header.ts';
import { isReport } from './inbox/recognise.ts';

export interface SeenMessage {
  verdicts: Verdicts;
  reversePath: string;
  header: Header;
  /** What was done: for whoever got it best. */
  outcome: 'accept' | 'junk' | 'reject';
}

export interface ReportableMessage {
  /** The policy domain, whose owner is told. */
  domain: string;
  policy: PublishedPolicy;
  message: CountedMessage;
}

/** Undefined where nobody asks for reports, or DMARC has no result. */
export function reportable(seen: SeenMessage): ReportableMessage | undefined {
  const { dmarc } = seen.verdicts;
  const { policyDomain: domain, published, record } = dmarc;
  if (domain === undefined || published === undefined) return undefined;
  if (dmarc.result !== 'pass' && dmarc.result !== 'fail') return undefined;
  if (record !== undefined && !mayAskForReports(record)) return undefined;
  // Reports on reports would never end.
  if (isReport(seen.header)) return undefined;
  return { domain, policy: policyOf(domain, dmarc), message: messageOf(seen) };
}

/** A record that is cut may do so behind the cut. */
const mayAskForReports = (record: string): boolean => /\brua[ \t]*=|\.{3}$/i.test(record);

function policyOf(domain: string, { published, alignment }: DmarcVerdict): PublishedPolicy {
  const { p, sp, np, testing = false } = published ?? {};
  return {
    domain,
    ...(p !== undefined && { p }),
    ...(sp !== undefined && { sp }),
    ...(np !== undefined && { np }),
    ...(alignment && { adkim: alignment.dkim === 'strict' ? 's' : 'r' }),
    ...(alignment && { aspf: alignment.spf === 'strict' ? 's' : 'r' }),
    testing,
  };
}

function messageOf(seen: SeenMessage): CountedMessage {
  const { client, spf, dkim, dmarc } = seen.verdicts;
  const { aligned } = dmarc;
  const envelope = parseAddress(seen.reversePath)?.domain ?? '';
  return {
    source: client.address,
    ...appliedTo(seen),
    dkimAligned: aligned.dkim,
    spfAligned: aligned.spf,
    headerFrom: dmarc.domain,
    envelopeFrom: envelope,
    dkim: signaturesOf(dkim, dmarc.domain),
    spf: [{ domain: spf.domain, scope: 'mfrom', result: spf.result }],
  };
}

type Applied = Pick<AggregateRecord, 'disposition' | 'reasons'>;

/**
 * What DMARC alone did. That something else sent it to Junk is nobody's business (RFC 9990 §8.3), so nothing is told that is
 * harder than the policy.
 */
function appliedTo({ verdicts: { dmarc, arc }, outcome }: SeenMessage): Applied {
  const policy = dmarc.policies[0] ?? 'none';
  if (dmarc.result === 'pass') return { disposition: policy === 'none' ? 'none' : 'pass', reasons: [] };
  const done = { accept: 'none', junk: 'quarantine', reject: 'reject' } as const;
  const disposition = order.indexOf(done[outcome]) < order.indexOf(policy) ? done[outcome] : policy;
  if (dmarc.published?.testing) return { disposition, reasons: [{ type: 'policy_test_mode' }] };
  if (disposition === policy) return { disposition, reasons: [] };
  if (arc?.trusted) return { disposition, reasons: [{ type: 'trusted_forwarder', comment: 'arc=pass' }] };
  return { disposition, reasons: [{ type: 'local_policy' }] };
}

const order = ['none', 'quarantine', 'reject'] as const;

/** Those first that say most (RFC 9990 §3.1.3). */
function signaturesOf(dkim: readonly DkimVerdict[], author: string): AggregateRecord['dkim'] {
  const rank = ({ result, aligned, domain }: DkimVerdict) =>
    result !== 'pass' ? 3 : domain === author ? 0 : aligned ? 1 : 2;
  return [...dkim]
    .filter(({ domain }) => domain !== '')
    .sort((one, other) => rank(one) - rank(other))
    .slice(0, maxSignatures)
    .map(({ domain, selector, result }) => ({ domain, selector, result }));
}
