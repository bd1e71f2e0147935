/**
 * Mail from a server in front of us, by LMTP (RFC 2033): for our own mailboxes only, from a trusted network or a socket of
 * this machine. Whoever hands it on has let it in: it is not checked once more, nor signed as ours; what the recipients have
 * blocked goes to Junk, and lists that are not open to anybody ask for a signature. A recipient's answer is given when message
 * and jobs are on disk, as everywhere; what the other server need not keep then, we do.
 */

import { type Header, parseHeader } from '../mail/header.ts';
import type { Ruling } from '../policy/decide.ts';
import { newEntry } from '../queue/entry.ts';
import type { Recipient } from '../queue/recipient.ts';
import { type Reply, reply } from '../smtp/reply.ts';
import { type AcceptedParts, acceptedEvent, messageRow, queuedAs, traceField } from './accepted.ts';
import type { Door, IncomingMessage, Session, Transaction } from './door.ts';
import { withoutForeignFields } from './foreign-fields.ts';
import type { InboundParts } from './inbound/received.ts';
import { refuse } from './inbound/refuse.ts';
import { judgedEvents, verdictText } from './judgment.ts';
import { refuseLetIn } from './let-in-posts.ts';
import { findLoop } from './loops.ts';
import { MessageCollector } from './message-collector.ts';

export type LmtpParts = Pick<
  InboundParts,
  | 'hostname'
  | 'headerBytes'
  | 'inlineBytes'
  | 'queue'
  | 'reportExpansion'
  | 'spool'
  | 'store'
  | 'resolver'
  | 'judging'
  | 'clock'
  | 'lifetimeMs'
>;

export function lmtpDoor(parts: LmtpParts): Door {
  return {
    checkSender: () => undefined,
    refuseElsewhere: () => notHere,
    openMessage: (session, transaction) => openMessage(parts, session, transaction),
  };
}

const notHere = reply(550, '5.1.2', 'LMTP delivers to mailboxes of this server; send other mail by SMTP');

function openMessage(parts: LmtpParts, session: Session, transaction: Transaction): IncomingMessage {
  let header: Header = parseHeader(Buffer.alloc(0));
  const collector = new MessageCollector({
    openSpool: () => parts.spool.begin(),
    inlineBytes: parts.inlineBytes,
    headerBytes: parts.headerBytes,
    editHeader(original) {
      header = parseHeader(original);
      return withoutForeignFields(header, original, parts.hostname);
    },
  });
  const accept = () => take(parts, { session, transaction, header, at: parts.clock.now() }, collector);
  return { collector, accept };
}

/** All recipients have the same answer; one that differs for each would be in its `each`. */
async function take(parts: LmtpParts, accepted: AcceptedParts, collector: MessageCollector): Promise<Reply> {
  const { transaction, header } = accepted;
  const { expanded, queueId } = transaction;
  const loop = findLoop(header, transaction.recipients);
  if (loop) return refuse(parts, accepted, { decision: { rule: 'mail loop', reply: loop } });
  const content = await collector.finish();
  const unproven = await refuseLetIn(parts, { transaction, collector, content });
  if (unproven) return refuse(parts, accepted, { decision: unproven });
  const prefix = Buffer.from(traceField(parts.hostname, accepted));
  // Where it came from, only the server in front could prove.
  const message = messageRow(accepted, { prefix, content, senderProven: false });
  const rulings = await parts.judging.rulingsOfBlocked(accepted);
  const recipients = outOfInbox(transaction.recipients, rulings);
  const blocked = rulings.filter(({ folder }) => folder === 'Junk');
  const events = [acceptedEvent(accepted, message), ...judgedEvents(queueId, parts.clock.now(), blocked)];
  await parts.queue.accept(newEntry({ message, recipients, events, lifetimeMs: parts.lifetimeMs }));
  if (expanded) await parts.reportExpansion(message, expanded);
  return queuedAs(queueId);
}

/** The rulings are in the order of the recipients, or there are none. */
const outOfInbox = (recipients: readonly Recipient[], rulings: readonly Ruling[]): Recipient[] =>
  recipients.map((recipient, index) => {
    const ruling = rulings[index];
    return ruling?.folder === 'Junk'
      ? { ...recipient, ruling: { folder: 'Junk', verdict: verdictText(ruling) } }
      : recipient;
  });
