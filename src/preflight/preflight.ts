/**
 * What a careful receiver will hold against a message, before it is sent: read top to bottom. The message as it would
 * leave → its octets, header and parts → the receiver, up to its EHLO → the sender checks, from each of our addresses →
 * the receiver's published rules → our own rspamd. Facts and rules only: whether it lands in an inbox nobody can measure.
 */

import type { Signers } from '../reception/signing.ts';
import type { Clock } from '../util/clock.ts';
import {
  type AuthenticationParts,
  authenticationFindings,
  type OwnAddress,
  seenFrom,
} from './authentication.ts';
import { ruleFindings } from './bulk.ts';
import type { Finding } from './finding.ts';
import { headerFaults } from './header-faults.ts';
import { type Draft, type Letter, readLetter } from './letter.ts';
import { mimeFaults } from './mime-faults.ts';
import { octetFaults } from './octet-faults.ts';
import { lookAtReceiver, type ReceiverParts } from './receiver.ts';
import { type ScoreParts, scoreFindings } from './score.ts';

export interface PreflightParts {
  hostname: string;
  clock: Clock;
  signers: Signers;
  authentication: AuthenticationParts;
  receiver: ReceiverParts;
  score: ScoreParts;
  /** From which it may leave. */
  addresses: readonly OwnAddress[];
  /** Deliveries to a site within the last day; undefined where nobody has counted. */
  countDelivered: (site: string) => Promise<number | undefined>;
}

export interface Preflight {
  to: string;
  from: string;
  findings: Finding[];
}

/** Octets of a message that is looked at: more than any receiver takes. */
export const maxDraftOctets = 100 * 2 ** 20;

/** Rejects only with the signal's reason, or for a bug. */
export async function preflight(
  parts: PreflightParts,
  draft: Draft,
  signal: AbortSignal,
): Promise<Preflight> {
  const now = parts.clock.now();
  const letter = await readLetter({ ...parts, now }, draft);
  const [receiver, seen, score] = await Promise.all([
    lookAtReceiver(parts.receiver, letter, signal),
    seenFrom(parts.authentication, letter, parts.addresses),
    scoreFindings(parts.score, letter, parts.addresses[0]),
  ]);
  const sentToday = receiver.site === undefined ? undefined : await parts.countDelivered(receiver.site);
  const findings = [
    ...octetFaults(draft.octets, bodyOf(letter)),
    ...headerFaults(letter, now),
    ...mimeFaults(letter.draft.octets),
    ...receiver.findings,
    ...authenticationFindings(letter, seen),
    ...ruleFindings({ letter, seen, receiver, sentToday }),
    ...score,
  ];
  return { to: `${draft.to.localPart}@${draft.to.domain}`, from: letter.reversePath, findings };
}

const bodyOf = ({ draft: { header, octets } }: Letter): Buffer => octets.subarray(header.bodyOffset);
