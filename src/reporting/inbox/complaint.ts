/**
 * What follows from a complaint: which message of ours it is about, as far as the dossiers know, and whether our users' mail to
 * whoever complains is refused from now on. That needs a proven reporter and our own token: anybody can write a report, and
 * whoever got a message can pass it on.
 */

import type { AbuseReport } from '../../arf/read.ts';
import { type Address, addressKey, parseAddress } from '../../mail/address.ts';
import type { Complaints } from '../../queue/complaints.ts';
import type { Suppressions } from '../../queue/suppressions.ts';
import type { EventRow } from '../../store/event-store.ts';
import type { Store } from '../../store/store.ts';
import type { Clock } from '../../util/clock.ts';
import type { DoorFacts } from './kept-report.ts';

export interface ComplaintParts {
  store: Pick<Store, 'trace'>;
  complaints: Pick<Complaints, 'findMessage'>;
  suppressions: Pick<Suppressions, 'add'>;
  isLocal(domain: string): boolean;
  clock: Clock;
}

/** What is known here of the message that somebody complains of. */
export interface MatchedMessage {
  queueId?: string;
  account?: string;
  recipients?: string[];
  /** The address that is written to no more. */
  suppressed?: string;
  /** Why nobody is. */
  why?: string;
}

/** Who complains does not want to be written to; what else there is are faults and errors (RFC 5965 §7.3). */
const complaintTypes: readonly string[] = ['abuse', 'fraud', 'opt-out'];
/** Our users' mail to somebody who complained is refused for so long. */
export const complaintMs = 365 * 24 * 3600_000;

export async function followComplaint(
  parts: ComplaintParts,
  report: AbuseReport,
  facts: Pick<DoorFacts, 'sender' | 'from'>,
): Promise<MatchedMessage> {
  const { original } = report;
  const proven = parts.complaints.findMessage(original?.tokens ?? []);
  const found = await findSent(parts.store, proven, original?.messageId);
  if (found === undefined) return proven === undefined ? {} : { queueId: proven, why: 'its dossier is gone' };
  const complainer = whoComplains(parts, report, { ...facts, isProven: proven !== undefined, ...found });
  if ('why' in complainer) return { ...found, ...complainer };
  const { clock, suppressions } = parts;
  await suppressions.add(complainer, {
    by: 'an abuse report',
    reason: `complained of message ${found.queueId}`,
    until: clock.now() + complaintMs,
  });
  return { ...found, suppressed: addressKey(complainer) };
}

type Sent = Required<Pick<MatchedMessage, 'queueId' | 'recipients'>> & Pick<MatchedMessage, 'account'>;

/** Only what one of us has sent. */
async function findSent(
  store: Pick<Store, 'trace'>,
  queueId: string | undefined,
  messageId: string | undefined,
): Promise<Sent | undefined> {
  if (queueId === undefined && messageId === undefined) return undefined;
  const query = queueId === undefined ? { messageId: messageId ?? '' } : { queueId };
  const events = await store.trace({ ...query, limit: 1 });
  const accepted = events.find(({ event }) => event === 'accepted');
  if (accepted === undefined || (accepted.data.via !== 'submission' && accepted.data.via !== 'control'))
    return undefined;
  const { account } = accepted.data;
  return {
    queueId: accepted.queueId,
    recipients: recipientsIn(accepted, events),
    ...(typeof account === 'string' && { account }),
  };
}

function recipientsIn({ data }: EventRow, events: readonly EventRow[]): string[] {
  const written = Array.isArray(data.to) ? data.to.map(String) : [];
  const tried = events.flatMap(({ recipient }) => recipient ?? []);
  return [...new Set([...written, ...tried].map((each) => each.toLowerCase()))];
}

interface Evidence extends Sent, Pick<DoorFacts, 'sender'> {
  isProven: boolean;
}

/**
 * Reports leave out who complains more often than not. Where the message went to one recipient it is that one; where it went to
 * several, one of them must be named, and by their own domain: each of them has the token.
 */
function whoComplains(
  { isLocal }: ComplaintParts,
  { type, originalRecipients }: AbuseReport,
  { sender, isProven, recipients }: Evidence,
): Address | { why: string } {
  if (!complaintTypes.includes(type)) return { why: `it is no complaint, but "${type}"` };
  if (sender === '') return { why: 'nobody is proven to have sent the report' };
  if (!isProven) return { why: 'it does not hold our token for this message' };
  const named = originalRecipients
    .map((each) => each.toLowerCase())
    .filter((each) => recipients.includes(each));
  const [address, ...others] = (named.length > 0 ? named : recipients).flatMap(
    (each) => parseAddress(each) ?? [],
  );
  if (address === undefined || others.length > 0)
    return { why: 'it does not say which of the recipients complains' };
  if (isLocal(address.domain)) return { why: `${address.domain} is ours` };
  if (recipients.length > 1 && !isRelated(address.domain, sender))
    return { why: `${sender} does not speak for ${address.domain}, and others got the message, too` };
  return address;
}

const isRelated = (one: string, other: string): boolean =>
  one === other || one.endsWith(`.${other}`) || other.endsWith(`.${one}`);
