/**
 * Takes a message into the queue: what goes in front of it, its row, its recipients with what their policies say, its first
 * events. When it resolves, all of it is on disk.
 */

import { isSenderProven } from '../../authentication/proven-sender.ts';
import { authenticationResults } from '../../authentication/results.ts';
import type { DossierEvent } from '../../dossier/event.ts';
import { fieldsText } from '../../filter/added-fields.ts';
import { completeHeader } from '../../mail/complete.ts';
import { type Header, parseHeader } from '../../mail/header.ts';
import type { Decision } from '../../policy/decide.ts';
import type { Recipient } from '../../queue/directory.ts';
import { newEntry } from '../../queue/entry.ts';
import type { Reply } from '../../smtp/reply.ts';
import type { Content } from '../../store/message.ts';
import { acceptedEvent, messageRow, queuedAs, traceField } from '../accepted.ts';
import { filteredEvents } from '../filters/filtered.ts';
import { verdictText } from '../judgment.ts';
import { sealOnward } from '../sealing.ts';
import type { Found } from './examine.ts';
import type { InboundParts, Received } from './received.ts';
import { checkedEvents } from './refuse.ts';

/** What the message is, and what follows from it. */
interface Judged extends Found {
  content: Content;
}

export async function takeIn(
  parts: InboundParts,
  received: Received,
  { content, checked, filtered }: Judged,
): Promise<Reply> {
  const { session, transaction } = received;
  const verdicts = checked?.verdicts;
  const reverseName = verdicts?.iprev.name;
  const ours = await completeOurs(parts, received);
  const results = verdicts ? authenticationResults(verdicts, parts.hostname) : '';
  const added = fieldsText(filtered?.fields ?? []);
  const trace = traceField(parts.hostname, received, reverseName);
  const fields = results + added + trace + ours.fields;
  const seal = verdicts ? await sealOnward(parts, { ...received, content, fields, verdicts }) : '';
  const prefix = Buffer.from(seal + fields);
  const senderProven = verdicts === undefined || isSenderProven(verdicts, transaction.reversePath);
  const message = messageRow({ ...received, header: ours.header }, { prefix, content, senderProven });
  const found = checked
    ? checkedEvents(parts, received, checked)
    : filteredEvents(filtered, parts.clock.now(), transaction.queueId);
  // Whether a bounce arrives is nobody's trouble here.
  if (transaction.recipients.every(({ isReturn }) => isReturn)) message.failuresTo = 'nobody';
  const events = [acceptedEvent(received, message, reverseName), ...found, ...ours.events];
  const recipients = checked
    ? ruled(transaction.recipients, checked.judgment.decision)
    : transaction.recipients;
  const { lifetimeMs } = parts;
  const { queueId, forwardPaths } = transaction;
  const { at, header } = received;
  const offered = parts.reports?.offer({ queueId, at, forwardPaths, header, content, verdicts });
  if (offered !== undefined) await offered;
  await parts.queue.accept(
    newEntry({ message, recipients, events, sentFromHere: session.trusted, lifetimeMs }),
  );
  if (transaction.expanded) await parts.reportExpansion(message, transaction.expanded);
  return queuedAs(queueId);
}

/** Each recipient with what its policy says; the rulings are in the order of the recipients. */
const ruled = (recipients: readonly Recipient[], { rulings }: Decision): Recipient[] =>
  recipients.map((recipient, index) => {
    const ruling = rulings[index];
    return ruling
      ? { ...recipient, ruling: { folder: ruling.folder, verdict: verdictText(ruling) } }
      : recipient;
  });

/** A program on a trusted network that writes in our name may leave Date and Message-ID to us, and signs with our key. */
async function completeOurs(
  parts: InboundParts,
  { header, collector, signing, authorDomain: domain, transaction, at }: Received,
): Promise<{ fields: string; header: Header; events: DossierEvent[] }> {
  if (domain === undefined || !parts.directory.isLocal(domain)) return { fields: '', header, events: [] };
  const messageId = `<${transaction.queueId}@${domain}>`;
  const { prefix } = completeHeader(collector.header, { from: transaction.reversePath, date: at, messageId });
  const completed = Buffer.concat([prefix, collector.header]);
  const signature = await signing?.sign(completed);
  return {
    fields: (signature?.field ?? '') + prefix.toString('utf8'),
    header: prefix.length === 0 ? header : parseHeader(completed),
    events: signature ? [signature.event(at, transaction.queueId)] : [],
  };
}
