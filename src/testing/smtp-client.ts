/**
 * A mail program that sends: the SMTP client of src/smtp on a real socket, with STARTTLS wherever it is offered and
 * AUTH PLAIN (RFC 4954, RFC 4616) where there are credentials. For tests and the playground.
 */

import type { DialogueLine, Endpoint, TlsFacts } from '../dossier/event.ts';
import { socketDialler } from '../net/conversation.ts';
import { openSession, quit } from '../smtp/client.ts';
import type { Session } from '../smtp/client-session.ts';
import { sendTransaction } from '../smtp/client-transaction.ts';
import type { Verdict } from '../smtp/client-verdict.ts';
import type { MailRequests } from '../smtp/mail-parameters.ts';
import type { RcptRequests } from '../smtp/rcpt-parameters.ts';
import { isPositive, type Reply, replyText } from '../smtp/reply.ts';
import { systemClock } from '../util/clock.ts';

export interface Sending {
  endpoint: Endpoint;
  /** The certificate authority to believe, PEM. */
  authority: string;
  /** Default: `[127.0.0.1]`, as mail programs without a name say (RFC 5321 §4.1.4). */
  ehloName?: string;
  credentials?: { user: string; password: string };
  /** Without brackets; '' is the null sender. */
  from: string;
  recipients: readonly string[];
  /** CRLF line ends. */
  content: Buffer;
  /** Declare SMTPUTF8 although no address needs it. */
  smtputf8?: boolean;
  requests?: MailRequests | undefined;
  /** For each of them. */
  recipientRequests?: RcptRequests | undefined;
}

export interface Sent {
  /** What the server said to each recipient: the reply to RCPT where that was refused, else the last one. */
  replies: Map<string, Reply>;
  /** The name that the server gave the message, if it took it for anybody. */
  queueId?: string;
  tls?: TlsFacts;
  /** What was said, without password and message. */
  dialogue: readonly DialogueLine[];
}

const timeoutMs = 10_000;

/** Sends a message. Rejects where no session comes about, the password is refused, or the connection breaks. */
export async function sendMail(sending: Sending): Promise<Sent> {
  const { endpoint, authority, ehloName = '[127.0.0.1]', credentials } = sending;
  const dial = socketDialler({ clock: systemClock, authorities: [authority] });
  const conversation = await dial(endpoint, { timeoutMs });
  try {
    const opening = await openSession(conversation, { ehloName });
    if ('verdict' in opening)
      throw new Error(`No SMTP session with ${endpoint.host}: ${words(opening.verdict)}`);
    const { session } = opening;
    if (credentials !== undefined) await authenticate(session, credentials);
    const replies = await transact(session, sending);
    await quit(conversation);
    const dialogue = conversation.dialogue.excerpt().lines;
    return { replies, ...queueIdOf(replies), ...(session.tls && { tls: session.tls }), dialogue };
  } finally {
    conversation.close();
  }
}

/** A password is for the right server only: the certificate counts here, as it does for mail programs (RFC 8314 §4.1). */
async function authenticate(
  { conversation, tls }: Session,
  { user, password }: { user: string; password: string },
): Promise<void> {
  if (tls?.certificate !== 'verified')
    throw new Error(`No password for ${conversation.endpoint.host}: ${tls?.certificate ?? 'not encrypted'}`);
  conversation.send([`AUTH PLAIN ${Buffer.from(`\0${user}\0${password}`).toString('base64')}`]);
  const reply = await conversation.reply(timeoutMs);
  if (!isPositive(reply)) throw new Error(`AUTH was refused: ${replyText(reply)}`);
}

async function transact(
  session: Session,
  { from, recipients, content, smtputf8 = false, requests, recipientRequests }: Sending,
): Promise<Map<string, Reply>> {
  const isAscii = [from, ...recipients].every((address) => Buffer.byteLength(address) === address.length);
  const verdicts = await sendTransaction(session, {
    reversePath: from,
    recipients,
    sizeBytes: content.length,
    smtputf8: smtputf8 || !isAscii,
    content: () => [content],
    ...(requests && { requests }),
    ...(recipientRequests && { recipientRequests: recipients.map(() => recipientRequests) }),
  });
  return new Map(
    verdicts.map((verdict, index) => {
      if (verdict.by !== 'reply') throw new Error(words(verdict));
      return [recipients[index] ?? '', verdict.reply];
    }),
  );
}

function queueIdOf(replies: ReadonlyMap<string, Reply>): { queueId?: string } {
  const taken = [...replies.values()].find(isPositive);
  const queueId = /Queued as (\S+)/.exec(taken?.lines.join(' ') ?? '')?.[1];
  return queueId === undefined ? {} : { queueId };
}

function words(verdict: Verdict): string {
  if (verdict.by === 'reply') return `${replyText(verdict.reply)} (${verdict.phase})`;
  if (verdict.by === 'connection') return `${verdict.error.message} (${verdict.phase})`;
  return `${verdict.by === 'policy' ? verdict.fault.reason : verdict.reason} (${verdict.phase})`;
}
