/**
 * The asking side of SMTP against a receiver that says what the input says: greeting, EHLO, STARTTLS, two transactions,
 * QUIT. What it found out must not depend on how the octets came, and mail counts as delivered only by a 2xx.
 */

import { classify, classifyOpening } from '../../src/delivery/replies/classify.ts';
import type { Endpoint } from '../../src/dossier/event.ts';
import { openSession, quit } from '../../src/smtp/client.ts';
import { chunkBytes } from '../../src/smtp/client-content.ts';
import type { Session } from '../../src/smtp/client-session.ts';
import { sendTransaction } from '../../src/smtp/client-transaction.ts';
import type { Verdict } from '../../src/smtp/client-verdict.ts';
import { type Conversation, ConversationError, type TlsShown } from '../../src/smtp/conversation.ts';
import type { Reply } from '../../src/smtp/reply.ts';
import { ReplyParser, ReplySyntaxError } from '../../src/smtp/reply-parser.ts';
import { opportunistic } from '../../src/smtp/tls-demand.ts';
import { Dialogue } from '../../src/util/dialogue.ts';
import { smtpReplies } from '../grammar/smtp.ts';
import { byteByByte, type Cut, cuts, packetsOf, whole } from '../packets.ts';
import { between, demand, demandSame, type Target } from './target.ts';

const endpoint: Endpoint = { host: 'mx.example.net', address: '192.0.2.1', port: 25 };

/** Talks to a script instead of a socket; a `reply` takes as many pieces as it needs. */
class ScriptedConversation implements Conversation {
  readonly endpoint = endpoint;
  dialogue = new Dialogue(() => 0);
  readonly sent: string[] = [];
  readonly #parser = new ReplyParser();
  readonly #packets: Buffer[][];
  #failure: ConversationError | undefined;

  constructor(packets: readonly Buffer[], cut: Cut) {
    this.#packets = packets.map(cut);
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  get quiet(): boolean {
    return !this.failed && this.#parser.idle && !this.#begun;
  }

  send(commands: readonly string[]): void {
    for (const command of commands) demand(!/[\r\n\0]/.test(command), `not one line: ${command}`);
    this.sent.push(...commands);
  }

  sendSecret(line: string): void {
    this.send([line]);
  }

  async sendContent(pieces: readonly Buffer[]): Promise<void> {
    if (this.#failure) throw this.#failure;
    this.sent.push(`(${pieces.reduce((sum, { length }) => sum + length, 0)} octets)`);
  }

  /** What came together is there together, however it is cut. */
  async reply(): Promise<Reply> {
    try {
      for (;;) {
        const reply = this.#parser.next();
        if (reply !== undefined) return reply;
        const piece = this.#nextPiece();
        if (this.#failure !== undefined || piece === undefined)
          throw this.#failure ?? this.#fail('closed', 'the script is over');
        this.#parser.receive(piece);
      }
    } catch (error) {
      throw error instanceof ReplySyntaxError ? this.#fail('protocol', error.message) : error;
    }
  }

  /** What came with the reply in one packet is clear text that nobody may believe. */
  async startTls(): Promise<TlsShown> {
    for (const piece of this.#packets[0] ?? []) this.#parser.receive(piece);
    if (this.#begun) this.#packets.shift();
    this.#begun = false;
    if (!this.#parser.idle) throw this.#fail('protocol', 'octets in clear text after the reply to STARTTLS');
    const facts = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', certificate: 'verified' };
    return { facts, distrust: undefined, chain: () => [] };
  }

  close(error = new ConversationError('aborted', 'we closed the connection')): void {
    this.#failure ??= error;
  }

  /** Octets of the current packet have been read. */
  #begun = false;

  #nextPiece(): Buffer | undefined {
    const [packet] = this.#packets;
    if (packet === undefined) return undefined;
    const piece = packet.shift();
    this.#begun = packet.length > 0;
    if (packet.length === 0) this.#packets.shift();
    return piece ?? this.#nextPiece();
  }

  #fail(kind: 'closed' | 'protocol', message: string): ConversationError {
    this.close(new ConversationError(kind, message));
    return this.#failure ?? new ConversationError(kind, message);
  }
}

const content = Buffer.from('Subject: ü\r\n\r\n.dot\r\nend');
/** As RFC 3461 and RFC 6152 have a transaction. */
const asking = {
  requests: { ret: 'full', envid: 'a+b' },
  recipientRequests: [{ notify: ['success'], orcpt: 'rfc822;a@example.net' }, undefined, undefined],
  inSevenBit: async () => ({ content: () => [Buffer.from('Subject: =FC\r\n\r\n')], sizeBytes: 16 }),
} as const;
const recipients = ['a@example.net', 'b@bücher.example', 'ü@example.net'];

/** All that the client did and found out. */
async function converse(packets: readonly Buffer[], cut: Cut, tls = opportunistic) {
  const conversation = new ScriptedConversation(packets, cut);
  const opening = await openSession(conversation, { ehloName: 'client.example', demand: tls });
  const verdicts: Verdict[] = 'verdict' in opening ? [opening.verdict] : [];
  if ('session' in opening) {
    for (let mails = 2; mails > 0 && !conversation.failed; mails--)
      verdicts.push(...(await sendOne(opening.session)));
    if (!conversation.failed) verdicts.push(...(await sendLarge(opening.session)));
    await quit(conversation);
  }
  return { sent: conversation.sent, verdicts: verdicts.map(shown), outcomes: verdicts.map(outcome) };
}

async function sendOne(session: Session): Promise<Verdict[]> {
  const verdicts = await sendTransaction(session, {
    reversePath: 'me@example.org',
    recipients,
    sizeBytes: content.length,
    smtputf8: true,
    content: () => [content],
    ...asking,
  });
  demand(
    verdicts.length === recipients.length,
    `${verdicts.length} verdicts for ${recipients.length} recipients`,
  );
  return verdicts;
}

const large = Buffer.alloc(chunkBytes + 1, 'x\r\n');

/** In chunks, where the receiver offers that. */
async function sendLarge(session: Session): Promise<Verdict[]> {
  if (!session.extensions.has('CHUNKING')) return [];
  const letter = { reversePath: '', recipients: ['a@example.net'], sizeBytes: large.length, smtputf8: false };
  return sendTransaction(session, { ...letter, content: () => [large] });
}

const shown = (verdict: Verdict) =>
  verdict.by === 'connection' ? { ...verdict, error: verdict.error.message } : verdict;

function outcome(verdict: Verdict) {
  const found = classify(verdict, endpoint);
  if (found.kind === 'delivered')
    demand(verdict.by === 'reply' && Math.floor(verdict.reply.code / 100) === 2, 'delivered without a 2xx');
  else demand(/^[45]\.\d{1,3}\.\d{1,3}$/.test(found.status), `not a status: ${found.status}`);
  return { found: found.kind, opening: classifyOpening(verdict, endpoint).kind };
}

async function everyWay(input: Buffer): Promise<void> {
  const packets = packetsOf(input);
  const first = await converse(packets, whole);
  for (const [name, cut] of cuts) demandSame(`the dialogue ${name}`, first, await converse(packets, cut));
  await underPolicy(packets);
}

/** Whatever a receiver says: no mail without TLS where a policy wants it, and none where what it showed is not good enough. */
async function underPolicy(packets: readonly Buffer[]): Promise<void> {
  const { sent } = await converse(packets, whole, { key: 'always', use: 'always' });
  const mail = sent.findIndex((line) => line.startsWith('MAIL'));
  demand(mail < 0 || sent.indexOf('STARTTLS') >= 0, 'mail in clear text under a policy');
  const fault = { type: 'certificate-not-trusted', reason: 'a stranger' } as const;
  const refused = await converse(packets, whole, { key: 'never good', use: 'always', judge: () => fault });
  demand(!refused.sent.some((line) => line.startsWith('MAIL')), 'mail to a host that proved nothing');
}

const script = [
  '220 mx',
  '250-mx\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250 8BITMIME',
  '250 ok',
  '250 ok',
  '250 ok',
  '354 go',
  '250 taken',
  '221 bye',
];
const secured = [
  '220 mx',
  '250-mx\r\n250 STARTTLS',
  '220 go',
  '250-mx\r\n250-SMTPUTF8\r\n250 PIPELINING',
  '250 ok',
  '250 2.1.5 ok',
  '550-5.1.1 no\r\n550 5.1.1 one',
  '451 x',
  '354 go',
  '250 taken',
];

const chunked = [
  '220 mx',
  '250-mx\r\n250-CHUNKING\r\n250-DSN\r\n250-LIMITS RCPTMAX=2 MAILMAX=9\r\n250 PIPELINING',
  ...Array(2).fill(['250 ok', '250 ok', '550 no', '250 ok', '354 go', '250 taken']).flat(),
  '250 ok',
  '250 ok',
  '250 chunk',
  '250 taken',
  '221 bye',
];

export const smtpClient: Target = {
  name: 'smtp-client',
  seeds: () =>
    [script, secured, chunked].map((replies) =>
      Buffer.from(replies.map((reply) => `${reply}\r\n\x1e`).join('')),
    ),
  generate: smtpReplies,
  read: (input) => converse([input], whole),
  check: everyWay,
  trickle: (input) => converse([input], byteByByte),
  places: [
    between('220 '),
    between('220 mx\r\n250-'),
    between('220 mx\r\n250 ok\r\n250 2.0.0 '),
    between('220 mx\r\n250-mx\r\n250-SIZE '),
  ],
};
