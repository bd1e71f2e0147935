/**
 * The asking side of SMTP (RFC 5321) up to the point where mail can be sent: greeting, EHLO, STARTTLS (RFC 3207), EHLO
 * again, AUTH where there is a login; and the polite end. Transactions are in client-transaction.ts. Knows no DNS, no queue, no retry.
 */

import type { TlsFacts } from '../dossier/event.ts';
import { authenticate, type Login } from './client-auth.ts';
import { parseExtensions } from './client-extensions.ts';
import type { Session } from './client-session.ts';
import { type ClientTimeouts, defaultTimeouts } from './client-timeouts.ts';
import { byConnection, byReply, type Phase, type TlsFault, type Verdict } from './client-verdict.ts';
import { type Conversation, ConversationError, refuseEarly } from './conversation.ts';
import { isPermanent, type Reply, replyText } from './reply.ts';
import { noTls, opportunistic, type TlsDemand } from './tls-demand.ts';

export interface OpeningOptions {
  /** Our own name, as DNS knows it (RFC 5321 §4.1.1.1). */
  ehloName: string;
  timeouts?: ClientTimeouts;
  /** `lmtp` greets with LHLO, and has a reply for each recipient at the end (RFC 2033). Default: `smtp`. */
  protocol?: 'smtp' | 'lmtp';
  /** Whom to log in as. Default: nobody. */
  login?: Login;
  /** What TLS has to show. Default: it is used where it is offered, whoever is there. */
  demand?: TlsDemand;
}

export type Opening = { session: Session } | { verdict: Verdict; tls?: TlsFacts };

/** From the connection to a session in which mail can be sent, logged in where there is a login. */
export async function openSession(conversation: Conversation, options: OpeningOptions): Promise<Opening> {
  const opening = await openUnnamed(conversation, options);
  if ('verdict' in opening || options.login === undefined) return opening;
  const { session } = opening;
  const verdict = await authenticate(session, options.login, options.timeouts ?? defaultTimeouts);
  return verdict === undefined ? opening : { verdict, ...(session.tls && { tls: session.tls }) };
}

/**
 * From the greeting to a session, over TLS wherever the receiver offers it, unless clear text is demanded. A receiver that
 * offers STARTTLS and fails at it is not spoken to in clear text, nor is one whose TLS is not what is demanded.
 */
async function openUnnamed(conversation: Conversation, options: OpeningOptions): Promise<Opening> {
  const { timeouts = defaultTimeouts, demand = opportunistic } = options;
  if (conversation.endpoint.implicitTls) return openSecured(conversation, options);
  const greeting = await ask(conversation, 'waiting for the greeting', undefined, timeouts.greetingMs);
  if (acceptedReply(greeting) === undefined) return { verdict: greeting };
  const clear = await greet(conversation, options);
  if ('verdict' in clear) return clear;
  if (demand.use === 'never') return { session: { conversation, ...clear, needsReset: false } };
  if (!clear.extensions.has('STARTTLS')) return withoutTls(conversation, clear, demand);

  const secured = await startTls(conversation, options);
  if ('verdict' in secured) return secured;
  // What was said in clear text is forgotten (RFC 3207 §4.2): only the second EHLO counts.
  const hello = await greet(conversation, options);
  if ('verdict' in hello) return { ...hello, ...secured };
  return { session: { conversation, ...hello, ...secured, needsReset: false } };
}

function withoutTls(conversation: Conversation, clear: Greeted, demand: TlsDemand): Opening {
  const fault = noTls('the receiver does not offer STARTTLS');
  if (demand.use === 'always') return { verdict: byPolicy(fault) };
  const tested = demand.tolerant ? { fault } : {};
  return { session: { conversation, ...clear, ...tested, needsReset: false } };
}

/** Where TLS comes before the greeting (RFC 8314 §3.3); STARTTLS, should it be offered inside, is not asked for. */
async function openSecured(conversation: Conversation, options: OpeningOptions): Promise<Opening> {
  const { timeouts = defaultTimeouts } = options;
  const secured = await shakeHands(conversation, options);
  if ('verdict' in secured) return secured;
  const greeting = await ask(conversation, 'waiting for the greeting', undefined, timeouts.greetingMs);
  if (acceptedReply(greeting) === undefined) return { verdict: greeting, ...secured };
  const hello = await greet(conversation, options);
  if ('verdict' in hello) return { ...hello, ...secured };
  return { session: { conversation, ...hello, ...secured, needsReset: false } };
}

type Greeted = Pick<Session, 'extensions' | 'protocol'>;

/** Says EHLO, or HELO to a server that does not know EHLO (RFC 5321 §3.2); LHLO where LMTP is spoken (RFC 2033 §4.1). */
async function greet(
  conversation: Conversation,
  { ehloName, timeouts = defaultTimeouts, protocol }: OpeningOptions,
): Promise<Greeted | { verdict: Verdict }> {
  const { helloMs } = timeouts;
  if (protocol === 'lmtp') {
    const lhlo = await ask(conversation, 'sending LHLO', `LHLO ${ehloName}`, helloMs);
    const offer = acceptedReply(lhlo);
    return offer === undefined ? { verdict: lhlo } : { extensions: parseExtensions(offer), protocol };
  }
  const ehlo = await ask(conversation, 'sending EHLO', `EHLO ${ehloName}`, helloMs);
  const offer = acceptedReply(ehlo);
  if (offer !== undefined) return { extensions: parseExtensions(offer) };
  if (ehlo.by !== 'reply' || !isPermanent(ehlo.reply)) return { verdict: ehlo };
  const helo = await ask(conversation, 'sending HELO', `HELO ${ehloName}`, helloMs);
  return acceptedReply(helo) === undefined ? { verdict: helo } : { extensions: new Map() };
}

type Secured = { tls: TlsFacts; fault?: TlsFault } | { verdict: Verdict; tls?: TlsFacts };

/** Asks for TLS and shakes hands. The certificate is looked at and reported, whatever it is. */
async function startTls(conversation: Conversation, options: OpeningOptions): Promise<Secured> {
  const { timeouts = defaultTimeouts } = options;
  const answer = await ask(conversation, 'sending STARTTLS', 'STARTTLS', timeouts.helloMs);
  return acceptedReply(answer) === undefined ? { verdict: answer } : shakeHands(conversation, options);
}

/** Resolves to a verdict also where the handshake came about and does not show what is demanded. */
async function shakeHands(
  conversation: Conversation,
  { timeouts = defaultTimeouts, demand = opportunistic }: OpeningOptions,
): Promise<Secured> {
  try {
    const shown = await conversation.startTls(timeouts.tlsMs, demand);
    const tls = shown.facts;
    const fault = demand.judge?.(shown);
    if (fault === undefined) return { tls };
    shown.forget?.();
    return demand.tolerant ? { tls, fault } : { tls, verdict: byPolicy(fault) };
  } catch (error) {
    return { verdict: byConnection('negotiating TLS', error) };
  }
}

const byPolicy = (fault: TlsFault): Verdict => ({
  by: 'policy',
  phase: 'comparing TLS with what its policy demands',
  fault,
});

/** Says goodbye (RFC 5321 §4.1.1.10) and closes. A peer that does not answer loses nothing by it. */
export async function quit(
  conversation: Conversation,
  timeouts: ClientTimeouts = defaultTimeouts,
): Promise<void> {
  try {
    conversation.send(['QUIT']);
    await conversation.reply(timeouts.quitMs);
  } catch (error) {
    if (!(error instanceof ConversationError)) throw error;
  } finally {
    conversation.close();
  }
}

function acceptedReply(verdict: Verdict): Reply | undefined {
  if (verdict.by !== 'reply') return undefined;
  return verdict.reply.code >= 200 && verdict.reply.code < 300 ? verdict.reply : undefined;
}

/**
 * Sends a command, if there is one, and waits for the reply. A 3xx asks for more, which nothing here has to give: the
 * peer is out of step, and its reply must not pass for a success.
 */
async function ask(
  conversation: Conversation,
  phase: Phase,
  command: string | undefined,
  timeoutMs: number,
): Promise<Verdict> {
  try {
    if (command !== undefined) {
      if (!conversation.quiet) await refuseEarly(conversation);
      conversation.send([command]);
    }
    const reply = await conversation.reply(timeoutMs);
    if (reply.code >= 300 && reply.code < 400)
      throw new ConversationError('protocol', `unexpected reply while ${phase}: ${replyText(reply)}`);
    return byReply(phase, reply);
  } catch (error) {
    return byConnection(phase, error);
  }
}
