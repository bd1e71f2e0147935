/**
 * A new message from its parts: text, HTML, attachments (RFC 5322, RFC 2045–2049), on nodemailer's MailComposer.
 * Only for what we write ourselves; a message that exists is never taken apart and composed anew (complete.ts).
 */

import { createHash } from 'node:crypto';
import MailComposer from 'nodemailer/lib/mail-composer';
import { formatAddress, needsSmtputf8 } from './address.ts';
import { withCrlf } from './line-ends.ts';
import { type Mailbox, mailboxesOf } from './mailboxes.ts';

export interface Attachment {
  filename: string;
  content: Buffer;
  /** Default: by the file name's ending. */
  contentType?: string;
}

export interface Draft {
  /** `user@domain` or `Name <user@domain>`; exactly one mailbox. */
  from: string;
  /** Each an address list as in a header field. */
  to?: readonly string[];
  cc?: readonly string[];
  /** Recipients that no header field names. */
  bcc?: readonly string[];
  subject?: string;
  text?: string;
  html?: string;
  attachments?: readonly Attachment[];
  /** Milliseconds since the epoch. */
  date: number;
  /** With its angle brackets, unique, not to be guessed. */
  messageId: string;
}

export interface ComposedMessage {
  /** Header and body, CRLF line ends. */
  content: Buffer;
  /** To, Cc and Bcc as `user@domain`, each once. */
  recipients: string[];
  /** An address in its header can only travel with SMTPUTF8. */
  smtputf8: boolean;
}

/** Throws where the text is no address list, or an empty one. */
function readMailboxes(text: string): Mailbox[] {
  const list = mailboxesOf(text);
  if (list === undefined || list.mailboxes.length === 0) {
    throw new Error(`Cannot parse address ${JSON.stringify(text)}: want user@domain or Name <user@domain>`);
  }
  return list.mailboxes;
}

const readLists = (lists: readonly string[] = []): Mailbox[] => lists.flatMap(readMailboxes);

function readSender(from: string): Mailbox {
  const [sender, another] = readMailboxes(from);
  if (sender === undefined || another !== undefined) {
    throw new Error(`Cannot send from ${JSON.stringify(from)}: want exactly one address`);
  }
  return sender;
}

const headerAddress = (mailbox: Mailbox) => ({ name: mailbox.displayName, address: formatAddress(mailbox) });

/** From the message's own name, so that composing is repeatable; nobody can write it into a text beforehand. */
function boundaryOf(messageId: string): string {
  return createHash('sha256').update(messageId).digest('hex').slice(0, 24);
}

type RootNode = ReturnType<MailComposer['compile']>;

const isEightBit = (node: RootNode): boolean =>
  node.getHeader('Content-Transfer-Encoding') === '8bit' || node.childNodes.some(isEightBit);

/** A multipart, or a part without text, gets no encoding from MailComposer, since 7bit is the default (RFC 2045 §6.1). */
function stateEncoding(root: RootNode): void {
  if (root.getTransferEncoding()) return;
  root.setHeader('Content-Transfer-Encoding', isEightBit(root) ? '8bit' : '7bit');
}

/** Fields that every message of ours has, and that MailComposer leaves out where they are empty. */
function emptyFields({ to, subject }: Draft): Buffer {
  const undisclosed = to === undefined || to.length === 0 ? 'To: undisclosed-recipients:;\r\n' : '';
  return Buffer.from(undisclosed + (subject ? '' : 'Subject:\r\n'));
}

/**
 * Composes a message: multipart/alternative from text and HTML, multipart/mixed with attachments, each part 7bit,
 * quoted-printable or base64 as fits it best. Files and URLs are never opened.
 * Rejects with an Error that names the address which cannot be parsed, or where there is no recipient.
 */
export async function compose(draft: Draft): Promise<ComposedMessage> {
  const sender = readSender(draft.from);
  const to = readLists(draft.to);
  const cc = readLists(draft.cc);
  const recipients = [...to, ...cc, ...readLists(draft.bcc)];
  if (recipients.length === 0) throw new Error('Cannot compose a message without a recipient');
  const root = new MailComposer({
    from: headerAddress(sender),
    to: to.map(headerAddress),
    cc: cc.map(headerAddress),
    ...(draft.subject ? { subject: draft.subject } : {}),
    text: draft.text ?? (draft.html === undefined ? '' : undefined),
    html: draft.html,
    attachments: [...(draft.attachments ?? [])],
    date: new Date(draft.date),
    messageId: draft.messageId,
    baseBoundary: boundaryOf(draft.messageId),
    disableFileAccess: true,
    disableUrlAccess: true,
  }).compile();
  stateEncoding(root);
  return {
    content: withCrlf(Buffer.concat([emptyFields(draft), await root.build()])),
    recipients: [...new Set(recipients.map(formatAddress))],
    smtputf8: [sender, ...to, ...cc].some(needsSmtputf8),
  };
}
