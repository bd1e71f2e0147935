/**
 * Tells a client no, at RCPT or at the end of its message, and leaves a dossier of what was refused and why.
 */

import { authenticationResults } from '../../authentication/results.ts';
import type { DossierEvent } from '../../dossier/event.ts';
import { decideFilters } from '../../filter/decide.ts';
import type { Recipient } from '../../queue/directory.ts';
import { type Reply, replyText } from '../../smtp/reply.ts';
import { andThen, type MaybePromise } from '../../util/maybe-promise.ts';
import { type AcceptedParts, clientFacts, messageIdOf } from '../accepted.ts';
import type { Session, Transaction } from '../door.ts';
import { filteredEvents } from '../filters/filtered.ts';
import type { Filtered } from '../filters/filters.ts';
import { judgedEvents } from '../judgment.ts';
import { refuseUnproven } from '../list-posts.ts';
import type { Checked, Found } from './examine.ts';
import type { InboundParts, Received } from './received.ts';

/** Where a policy turns a recipient away whatever the message may be, it need not come. */
export async function refuseAtRcpt(
  parts: InboundParts,
  { session, transaction, spelled, recipients }: Addressed,
): Promise<Reply | undefined> {
  const refusal = await parts.judging.refuseAtRcpt(session, transaction, recipients);
  if (refusal === undefined) return undefined;
  const { facts, decision, reply: answer } = refusal;
  const { queueId } = transaction;
  const at = parts.clock.now();
  const told = refusedData({ session, transaction, to: [spelled] }, answer);
  const data = { ...told, rule: decision.rule, facts };
  await parts.store.appendEvents([
    { at, queueId, event: 'refused', data },
    ...judgedEvents(queueId, at, decision.rulings),
  ]);
  parts.judging.settled({ session, transaction, recipients, judgment: refusal, stage: 'rcpt' });
  return answer;
}

interface Addressed {
  session: Session;
  transaction: Transaction;
  spelled: string;
  recipients: readonly Recipient[];
}

/** Mail from trusted networks has no policy; filters that are to see it may refuse it all the same. */
export function refusalOf(
  { judging }: Pick<InboundParts, 'judging'>,
  { transaction, collector }: Pick<Received, 'transaction' | 'collector'>,
  { checked, filtered }: Found,
): MaybePromise<Refusal | undefined> {
  if (checked?.judgment.decision.reply) return checked;
  if (checked)
    return andThen(
      refuseUnproven(judging, { transaction, collector, verdicts: checked.verdicts }),
      (unproven) => unproven && { decision: unproven, filtered },
    );
  const { rule, reply } = decideFilters(filtered?.facts ?? []);
  return reply && { decision: { rule, reply }, filtered };
}

export function checkedEvents(
  parts: RefusalParts,
  { transaction: { queueId }, at }: AcceptedParts,
  { verdicts, judgment: { facts, decision, givenUp } }: Checked,
): DossierEvent[] {
  const now = parts.clock.now();
  const data = {
    authenticationResults: authenticationResults(verdicts, parts.hostname).trimEnd(),
    spf: verdicts.spf.result,
    dkim: verdicts.dkim.map(({ domain, result }) => `${result} (${domain})`).join(', ') || 'none',
    dmarc: verdicts.dmarc.result,
    decision: decision.decision,
    rule: decision.rule,
    durationMs: now - at,
    facts,
    ...(givenUp && { givenUp }),
  };
  return [{ at: now, queueId, event: 'checked', data }, ...judgedEvents(queueId, now, decision.rulings)];
}

/** Why it is refused: a rule of ours alone, or a judgement. */
export type Refusal = { decision: { rule: string; reply: Reply }; filtered?: Filtered | undefined } | Checked;

export type RefusalParts = Pick<InboundParts, 'hostname' | 'store' | 'clock'>;

/** Tells the client, and leaves a dossier of what was refused and why. */
export async function refuse(parts: RefusalParts, received: AcceptedParts, refusal: Refusal): Promise<Reply> {
  const { session, transaction, header, at } = received;
  const { queueId, forwardPaths } = transaction;
  const checked = 'judgment' in refusal ? refusal : undefined;
  const { rule, reply: answer } = 'judgment' in refusal ? refusal.judgment.decision : refusal.decision;
  if (answer === undefined) throw new Error('a refusal without a reply');
  const messageId = messageIdOf(header);
  const data = {
    ...refusedData({ session, transaction, to: forwardPaths }, answer, checked?.verdicts.iprev.name),
    rule,
    ...(messageId === undefined ? {} : { messageId }),
  };
  const events: DossierEvent[] = [{ at, queueId, event: 'refused', data }];
  if ('judgment' in refusal) events.push(...checkedEvents(parts, received, refusal));
  else events.push(...filteredEvents(refusal.filtered, parts.clock.now(), queueId));
  await parts.store.appendEvents(events);
  return answer;
}

function refusedData(
  { session, transaction, to }: { session: Session; transaction: Transaction; to: readonly string[] },
  answer: Reply,
  reverseName?: string,
) {
  const { lines } = session.dialogue(answer);
  return {
    from: transaction.reversePath,
    to: [...to],
    client: clientFacts(session, reverseName),
    reply: replyText(answer),
    dialogue: lines,
  };
}
