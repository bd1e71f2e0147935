/** What both doors write when a message is taken in: its row, its trace field, its first event. */

import type { DossierEvent } from '../dossier/event.ts';
import { fieldValue, findFields, type Header } from '../mail/header.ts';
import { type Received, type ReceivedProtocol, receivedField, receivedProtocol } from '../mail/received.ts';
import { type Reply, reply } from '../smtp/reply.ts';
import { contentBytes } from '../store/content.ts';
import type { Content, MessageRow } from '../store/message.ts';
import type { Session, Transaction } from './door.ts';
import { askedOf, asksOfWhen, requestsOf } from './requests.ts';

export interface AcceptedParts {
  session: Session;
  transaction: Transaction;
  header: Header;
  at: number;
}

/** The Received field for this transaction (RFC 5321 §4.4). A submitter's address is left out (duty 4). */
export function traceField(
  hostname: string,
  { session, transaction, at }: AcceptedParts,
  reverseName?: string,
): string {
  const { via, hello, tls, peer } = session;
  const { forwardPaths, queueId } = transaction;
  const received: Received = {
    by: hostname,
    protocol: via === 'control' ? 'LOCAL' : protocolOf({ session, transaction }),
    queueId,
    date: at,
  };
  // A socket of this machine has no address.
  if (via === 'smtp' || (via === 'lmtp' && peer.port !== 0)) {
    received.client = { helo: hello?.name ?? '', address: peer.address };
    if (reverseName !== undefined) received.client.reverseName = reverseName;
  }
  if (tls) received.tls = { version: tls.version, cipher: tls.cipher };
  const [only] = forwardPaths;
  if (only !== undefined && forwardPaths.length === 1) received.recipient = only;
  return receivedField(received);
}

function protocolOf({
  session,
  transaction,
}: Pick<AcceptedParts, 'session' | 'transaction'>): ReceivedProtocol {
  const { via, hello, tls, account } = session;
  return receivedProtocol({
    isLmtp: via === 'lmtp',
    extended: hello?.verb === 'EHLO',
    tls: tls !== undefined,
    authenticated: account !== undefined,
    smtputf8: transaction.smtputf8,
  });
}

export interface FinalParts {
  prefix: Buffer;
  content: Content;
  /** It is sure that the message comes from its reverse-path: a report about it may go there. */
  senderProven: boolean;
}

/** The row of a message whose prepended fields and content are final. */
export function messageRow(
  { session, transaction, header, at }: AcceptedParts,
  { prefix, content, senderProven }: FinalParts,
): MessageRow {
  const { queueId, reversePath, eightBit, smtputf8 } = transaction;
  const sizeBytes = prefix.length + contentBytes(content);
  const row: MessageRow = {
    queueId,
    acceptedAt: at,
    reversePath,
    prefix,
    content,
    sizeBytes,
    eightBit,
    smtputf8,
    failuresTo: senderProven ? 'sender' : 'postmaster',
  };
  if (session.account !== undefined) row.submitter = session.account;
  const requests = requestsOf(transaction.requests, header, at);
  if (requests !== undefined) row.requests = requests;
  const messageId = messageIdOf(header);
  if (messageId !== undefined) row.messageId = messageId;
  return row;
}

/** What the client is told when its message is on disk. */
export const queuedAs = (queueId: string): Reply => reply(250, '2.0.0', `Queued as ${queueId}`);

/** Longer ones are not worth an index entry. */
const maxMessageIdLength = 500;

export function messageIdOf({ fields }: Header): string | undefined {
  const [field] = findFields(fields, 'message-id');
  return field && fieldValue(field).slice(0, maxMessageIdLength);
}

/** The dossier's first entry. */
export function acceptedEvent(
  { session, transaction }: AcceptedParts,
  { sizeBytes, messageId, requests }: MessageRow,
  reverseName?: string,
): DossierEvent {
  const { queueId, reversePath, forwardPaths } = transaction;
  const { via } = session;
  const { at, lines } = session.dialogue(queuedAs(queueId));
  const data: (DossierEvent & { event: 'accepted' })['data'] = {
    via,
    from: reversePath,
    to: [...forwardPaths],
    sizeBytes,
  };
  if (via !== 'control') {
    data.client = clientFacts(session, reverseName);
    data.dialogue = lines;
  }
  if (session.account !== undefined) data.account = session.account;
  if (session.appPassword !== undefined) data.appPassword = session.appPassword;
  if (messageId !== undefined) data.messageId = messageId;
  if (requests !== undefined && asksOfWhen(requests)) data.asked = askedOf(requests);
  if (session.tls) data.tls = { version: session.tls.version, cipher: session.tls.cipher };
  return { at, queueId, event: 'accepted', data };
}

export function clientFacts(
  { peer, hello }: Session,
  reverseName?: string,
): { address: string; helo: string; reverseName?: string } {
  const facts = { address: peer.address, helo: hello?.name ?? '' };
  return reverseName === undefined ? facts : { ...facts, reverseName };
}
