/** Letters as short as a test can write them. */

import { randomUUID } from 'node:crypto';
import { compose } from '../mail/compose.ts';
import type { MailRequests } from '../smtp/mail-parameters.ts';
import type { RcptRequests } from '../smtp/rcpt-parameters.ts';

export interface Letter {
  /** `user@domain`; '' is the null sender, with `content` only. */
  from: string;
  to: string | readonly string[];
  /** A complete message as it is, CRLF line ends; else one is composed of the two below. */
  content?: string | Buffer;
  subject?: string;
  text?: string;
  /** RET and ENVID (RFC 3461 §4), and for each recipient NOTIFY and ORCPT. */
  requests?: MailRequests;
  recipientRequests?: RcptRequests;
  /** Declare SMTPUTF8, as many mail programs do although nothing in the letter needs it. */
  smtputf8?: boolean;
}

export async function readLetter({
  from,
  to,
  content,
  subject = 'A letter',
  text = 'Hello.\n',
}: Letter): Promise<{
  content: Buffer;
  recipients: readonly string[];
}> {
  const recipients = [to].flat();
  if (content !== undefined) return { content: Buffer.from(content), recipients };
  const messageId = `<${randomUUID()}@${from.slice(from.lastIndexOf('@') + 1)}>`;
  const composed = await compose({ from, to: recipients, subject, text, date: Date.now(), messageId });
  return { content: composed.content, recipients };
}
