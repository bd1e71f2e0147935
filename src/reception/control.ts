/** Mail handed in over the control socket by the server's owner, who may send as any local address. No SMTP, same road. */

import { type Address, needsSmtputf8, parseAddress } from '../mail/address.ts';
import { withCrlf } from '../mail/line-ends.ts';
import type { Recipient } from '../queue/directory.ts';
import { isPositive, type Reply, reply, replyText } from '../smtp/reply.ts';
import { StoreBrokenError } from '../store/errors.ts';
import type { Session, Transaction } from './door.ts';
import { closedMailbox, endlessAddress } from './path.ts';
import { openMessage, type SubmissionParts } from './submission.ts';
import { refuseSuppressed } from './suppressed.ts';

export interface HandedIn {
  /** `user@domain` of a local domain, or '' for the null sender. */
  from: string;
  recipients: readonly string[];
  /** A complete message; bare newlines are made CRLF. */
  content: Buffer;
}

export interface Taken {
  queueId: string;
  /** Who will not get it, and why; the others are in the queue. */
  refused: { recipient: string; reply: string }[];
}

/** Why nobody gets a message: who sends it may not, an address is none, no recipient is there, for now, or by what it is. */
export type Refusal = 'sender' | 'address' | 'nobody' | 'later' | 'message';

/** What was wrong with a message that was handed in; the message is a sentence for people. */
export class HandInError extends Error {
  override readonly name = 'HandInError';
  readonly because: Refusal;

  constructor(because: Refusal, message: string) {
    super(message);
    this.because = because;
  }
}

export interface HandInParts extends SubmissionParts {
  nextQueueId(): string;
  /** Told who will not get it before the others have it. The message waits for that, and is not taken where it rejects. */
  refusing?(refused: Taken['refused']): Promise<void>;
}

/** Resolves when the message is on disk. Rejects with HandInError if nobody gets it, or with the store's error. */
export async function handIn(parts: HandInParts, { from, recipients, content }: HandedIn): Promise<Taken> {
  const sender = from === '' ? undefined : addressOf(from);
  if (sender && !parts.directory.isLocal(sender.domain) && sender.domain !== parts.hostname)
    throw new HandInError(
      'sender',
      `Cannot send as ${from}: ${sender.domain} is not a domain of this server`,
    );
  const { found, refused } = await resolveAll(parts, recipients);
  if (found.length === 0)
    throw new HandInError(
      'nobody',
      refused.map(({ reply }) => reply).join('; ') || 'Give at least one recipient',
    );
  const transaction: Transaction = {
    queueId: parts.nextQueueId(),
    reversePath: from,
    smtputf8: [...recipients.map(addressOf), ...(sender ? [sender] : [])].some(needsSmtputf8),
    eightBit: true,
    forwardPaths: recipients.filter((text) => !refused.some(({ recipient }) => recipient === text)),
    recipients: found,
  };
  if (refused.length > 0) await parts.refusing?.(refused);
  const answer = await takeIn(parts, transaction, content);
  if (!isPositive(answer)) throw new HandInError(answer.code < 500 ? 'later' : 'message', replyText(answer));
  return { queueId: transaction.queueId, refused };
}

function addressOf(text: string): Address {
  const address = parseAddress(text);
  if (!address) throw new HandInError('address', `Cannot parse address "${text}": write user@example.org`);
  return address;
}

async function resolveAll(parts: SubmissionParts, recipients: readonly string[]) {
  const found: Recipient[] = [];
  const refused: Taken['refused'] = [];
  for (const text of recipients) {
    const address = addressOf(text);
    const resolution = await parts.directory.resolve(address, text);
    const suppressed = resolution.status === 'elsewhere' ? refuseSuppressed(parts, address) : undefined;
    if (suppressed) refused.push({ recipient: text, reply: replyText(suppressed) });
    else if (resolution.status === 'found') found.push(...resolution.recipients);
    else if (resolution.status === 'elsewhere') found.push(resolution.recipient);
    else if (resolution.status === 'endless')
      refused.push({ recipient: text, reply: replyText(endlessAddress(text)) });
    else if (resolution.isClosed) refused.push({ recipient: text, reply: replyText(closedMailbox(text)) });
    else refused.push({ recipient: text, reply: `550 5.1.1 No such user here: <${text}>` });
  }
  return { found, refused };
}

async function takeIn(parts: SubmissionParts, transaction: Transaction, content: Buffer): Promise<Reply> {
  const message = openMessage(parts, controlSession(parts), transaction);
  const { collector } = message;
  try {
    await collector.add(withCrlf(content));
    collector.end();
    const fault = collector.headerTooLong ? headerTooLarge : message.fault;
    const answer = fault ?? (await message.accept());
    if (!isPositive(answer)) await collector.discard();
    return answer;
  } catch (error) {
    // Where the store broke, the message may be on disk all the same, and its spool file must stay.
    if (!(error instanceof StoreBrokenError)) await collector.discard();
    throw error;
  }
}

const headerTooLarge = reply(552, '5.3.4', 'Header section too large; shorten it');

/** Stands where an SMTP session would; nothing was said. */
function controlSession({ clock }: SubmissionParts): Session {
  const here = '127.0.0.1';
  const peer = { address: here, port: 0, localAddress: here, localPort: 0 };
  const at = clock.now();
  const dialogue = () => ({ at, lines: [] });
  return {
    via: 'control',
    peer,
    trusted: true,
    tls: undefined,
    hello: undefined,
    account: undefined,
    commandsHeard: () => 0,
    dialogue,
  };
}
