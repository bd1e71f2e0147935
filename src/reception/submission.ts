/**
 * Mail from our own users (RFC 6409): over TLS, authenticated, in their own name. The road of a message here: sender
 * → recipients → header rules → what is missing is added, blind copies are taken out → DKIM → queue → 250.
 */

import { createHash } from 'node:crypto';
import { fieldsText } from '../filter/added-fields.ts';
import { decideFilters } from '../filter/decide.ts';
import { type Address, addressKey } from '../mail/address.ts';
import { authorDomain } from '../mail/author-domain.ts';
import { completeHeader } from '../mail/complete.ts';
import { type Header, parseHeader } from '../mail/header.ts';
import {
  checkSubmittedHeader,
  lineScanner,
  type Refusal,
  submittedAuthors,
} from '../mail/submission-rules.ts';
import type { Brake } from '../queue/brake/brake.ts';
import { brakeName } from '../queue/brake/braked.ts';
import type { Complaints } from '../queue/complaints.ts';
import type { Directory } from '../queue/directory.ts';
import { heldEntry, newEntry } from '../queue/entry.ts';
import type { Queue } from '../queue/queue.ts';
import type { Suppressions } from '../queue/suppressions.ts';
import { type Reply, reply } from '../smtp/reply.ts';
import type { Content } from '../store/message.ts';
import type { Spool } from '../store/spool.ts';
import type { Clock } from '../util/clock.ts';
import { acceptedEvent, messageRow, queuedAs, traceField } from './accepted.ts';
import type { Door, IncomingMessage, Session, Transaction } from './door.ts';
import { filteredEvents } from './filters/filtered.ts';
import type { Filtered, Filters } from './filters/filters.ts';
import { withoutForeignFields } from './foreign-fields.ts';
import { MessageCollector } from './message-collector.ts';
import { type OnceParts, onlyOnce } from './only-once.ts';
import type { ReportExpansion } from './requests.ts';
import { type Signers, type Signing, startSigning } from './signing.ts';
import { refuseSuppressed } from './suppressed.ts';
import { takeTraceparent } from './traceparent-field.ts';

export interface SubmissionParts {
  hostname: string;
  headerBytes: number;
  inlineBytes: number;
  queue: Pick<Queue, 'accept'>;
  reportExpansion: ReportExpansion;
  directory: Directory;
  spool: Pick<Spool, 'begin'>;
  signers: Signers;
  /** Absent: no address is refused. */
  suppressions?: Pick<Suppressions, 'findRefusal'>;
  /** Absent: nothing is held. */
  brake?: Pick<Brake, 'take' | 'giveBack'>;
  /** Told whom our user has written to, once that is durable. */
  wroteTo?(account: string, recipients: readonly string[]): void;
  clock: Clock;
  /** Absent where none is configured. */
  filters?: Filters | undefined;
  /** How long delivery may take, in ms. */
  lifetimeMs?: number;
  /** What is put in front so that complaints are known. Absent: nothing. */
  complaints?: Pick<Complaints, 'fieldsFor'> | undefined;
  lostAnswers?: OnceParts['lostAnswers'];
  /** Spans are written: a message may say of which trace of its author's it is a part. Default: that stays in it, unread. */
  isTraced?: boolean;
}

export function submissionDoor(parts: SubmissionParts): Door {
  return {
    checkSender: (session, sender) => checkSender(parts, session, sender),
    refuseElsewhere: (_session, recipient) => refuseSuppressed(parts, recipient),
    openMessage: (session, transaction) => openMessage(parts, session, transaction),
    screen: parts.filters,
  };
}

async function checkSender(
  { directory }: SubmissionParts,
  { tls, account }: Session,
  sender: Address | undefined,
): Promise<Reply | undefined> {
  if (!tls) return reply(530, '5.7.0', 'Encryption required; STARTTLS first');
  if (account === undefined) return reply(530, '5.7.0', 'Authentication required; AUTH first');
  if (await directory.isBarredFromSending(account)) return barred;
  if (!sender || (await directory.maySendAs(account, sender))) return undefined;
  return reply(553, '5.7.1', `You may not send as this address; use one of your own, such as ${account}`);
}

const barred = reply(
  550,
  '5.7.1',
  'Sending is switched off for this account; ask your postmaster to switch it on',
);

export function openMessage(
  parts: SubmissionParts,
  session: Session,
  transaction: Transaction,
): IncomingMessage {
  const scan = lineScanner();
  let header: Header = parseHeader(Buffer.alloc(0));
  let added: Buffer = Buffer.alloc(0);
  let signing: Signing | undefined;
  let traceparent: string | undefined;
  const octets = session.account === undefined || !parts.lostAnswers ? undefined : createHash('sha256');
  const collector = new MessageCollector({
    openSpool: () => parts.spool.begin(),
    inlineBytes: parts.inlineBytes,
    headerBytes: parts.headerBytes,
    editHeader(original) {
      header = parseHeader(original);
      octets?.update(original);
      const own = withoutForeignFields(header, original, parts.hostname);
      const taken = parts.isTraced ? takeTraceparent(header, own) : { octets: own };
      traceparent = taken.traceparent;
      const completed = completeHeader(taken.octets, completionFor(parts, session, transaction));
      added = completed.prefix;
      const author = authorDomain(parseHeader(Buffer.concat([added, completed.header])));
      const complaints = parts.complaints?.fieldsFor(transaction.queueId, author, header) ?? '';
      if (complaints !== '') added = Buffer.concat([added, Buffer.from(complaints)]);
      signing = startSigning(parts.signers, author);
      return completed.header;
    },
    onBody(chunk) {
      const refusal = scan(chunk);
      if (refusal) message.fault ??= refusalReply(refusal);
      signing?.onBody(chunk);
      octets?.update(chunk);
    },
  });
  const accept = () =>
    submit(parts, { session, transaction, header, added, collector, signing, traceparent });
  const message: IncomingMessage = octets
    ? { collector, ...onlyOnce(parts, { session, transaction, collector, octets, accept }) }
    : { collector, accept };
  return message;
}

/** RFC 6409 §8.2, §8.3: Date and Message-ID where they are missing; From is the authenticated address. */
function completionFor({ clock, hostname }: SubmissionParts, { account }: Session, transaction: Transaction) {
  const from = account ?? transaction.reversePath;
  const domain = from.slice(from.lastIndexOf('@') + 1) || hostname;
  return { from, date: clock.now(), messageId: `<${transaction.queueId}@${domain}>` };
}

const refusalReply = ({ status, text }: Refusal): Reply =>
  reply(status === '5.7.1' ? 550 : 554, status, text);

interface Submitted {
  session: Session;
  transaction: Transaction;
  /** As the client wrote it. */
  header: Header;
  /** The fields that were missing. */
  added: Buffer;
  collector: MessageCollector;
  signing: Signing | undefined;
  /** As the header says it, where that is heeded. */
  traceparent: string | undefined;
}

/** What goes beyond what is usual of a user is accepted, and held. */
async function enqueue(
  { queue, brake, wroteTo }: SubmissionParts,
  { account, appPassword, peer }: Session,
  entry: Parameters<Queue['accept']>[0],
): Promise<void> {
  if (account === undefined) return queue.accept(entry);
  const recipients = entry.jobs.map(({ recipient }) => recipient);
  if (brake === undefined) {
    await queue.accept(entry);
    wroteTo?.(account, recipients);
    return;
  }
  const sending = { recipients, client: peer.address, ...(appPassword !== undefined && { appPassword }) };
  const asked = brake.take(account, sending);
  const reason = asked instanceof Promise ? await asked : asked;
  try {
    await queue.accept(reason === undefined ? entry : heldEntry(entry, { by: brakeName, reason }));
    // What is held may be a thief's: whom it goes to is no friend of the user's for that.
    if (reason === undefined) wroteTo?.(account, recipients);
  } catch (error) {
    brake.giveBack(account, sending);
    throw error;
  }
}

/** Of the authors that the header names, those as whom the user may write. */
async function ownAmong(
  { directory }: SubmissionParts,
  account: string,
  header: Header,
): Promise<ReadonlySet<string>> {
  const own = new Set<string>();
  for (const author of submittedAuthors(header))
    if (await directory.maySendAs(account, author)) own.add(addressKey(author));
  return own;
}

async function submit(parts: SubmissionParts, submitted: Submitted): Promise<Reply> {
  const { session, transaction, header, added, collector } = submitted;
  const own = session.account === undefined ? undefined : await ownAmong(parts, session.account, header);
  const verdict = checkSubmittedHeader(header, {
    smtputf8: transaction.smtputf8,
    mayUse: (key) => own?.has(key) ?? parts.directory.isLocal(key.slice(key.lastIndexOf('@') + 1)),
  });
  if (!verdict.ok) return refusalReply(verdict);
  const content = await collector.finish();
  const filtered = parts.filters && (await filter(parts.filters, submitted, content));
  const { reply: refusal } = decideFilters(filtered?.facts ?? []);
  if (refusal) return refusal;
  const completed = parseHeader(Buffer.concat([added, collector.header]));
  const accepted = { session, transaction, header: completed, at: parts.clock.now() };
  const signature = await submitted.signing?.sign(Buffer.concat([added, collector.header]));
  const fields = [
    fieldsText(filtered?.fields ?? []),
    traceField(parts.hostname, accepted),
    signature?.field ?? '',
  ];
  const prefix = Buffer.concat([Buffer.from(fields.join('')), added]);
  const message = messageRow(accepted, { prefix, content, senderProven: true });
  if (submitted.traceparent !== undefined) message.traceparent = submitted.traceparent;
  const events = [
    acceptedEvent(accepted, message),
    ...filteredEvents(filtered, parts.clock.now(), transaction.queueId),
  ];
  if (signature) events.push(signature.event(accepted.at, transaction.queueId));
  const { recipients } = transaction;
  const { lifetimeMs } = parts;
  const entry = newEntry({ message, recipients, events, sentFromHere: true, lifetimeMs });
  await enqueue(parts, session, entry);
  if (transaction.expanded) await parts.reportExpansion(message, transaction.expanded);
  return queuedAs(transaction.queueId);
}

/**
 * Filters see it as it is kept, without what was missing and is added. There is no Junk on the way out: what would go there
 * goes on, and its dossier says so.
 */
function filter(
  filters: Filters,
  { session, transaction, collector }: Submitted,
  content: Content,
): Promise<Filtered> | undefined {
  const { header } = collector;
  return filters.message(session, transaction, {
    header: parseHeader(header),
    headerBytes: header.length,
    content,
  });
}
