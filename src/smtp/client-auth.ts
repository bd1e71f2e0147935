/**
 * The asking side of AUTH (RFC 4954): logs in to a relay once a session stands, by the strongest mechanism that both know.
 * A password never crosses a network in clear text. What a refusal means for the mail is decided in delivery/.
 */

import { parseIpv4, parseIpv6 } from '../dns/ip.ts';
import {
  type ClientExchange,
  MalformedChallengeError,
  startClientExchange,
  strongestOf,
} from '../sasl/client.ts';
import type { Session } from './client-session.ts';
import type { ClientTimeouts } from './client-timeouts.ts';
import { byConnection, byReply, type Verdict } from './client-verdict.ts';
import { type Conversation, ConversationError } from './conversation.ts';
import { type Reply, replyText } from './reply.ts';

export interface Login {
  user: string;
  /** Asked for at each login. Rejects where it cannot be had. */
  password(): Promise<string>;
  /** Without TLS too, as long as it stays on this machine. */
  inClear?: boolean;
}

/** Where the nonce of SCRAM comes from; default: chance. */
export type AuthOptions = Pick<ClientTimeouts, 'authMs'> & { nonce?: () => string };

const phase = 'authenticating';

/** Steps of one exchange; a server that never comes to an end is out of its mind. */
const maxSteps = 5;

/** Resolves to undefined when we are logged in, else to why not. */
export async function authenticate(
  session: Session,
  login: Login,
  { authMs, nonce }: AuthOptions,
): Promise<Verdict | undefined> {
  const { conversation, extensions, tls } = session;
  const mayTravel = tls !== undefined || staysHere(conversation.endpoint.address, login);
  if (!mayTravel)
    return refusal('5.7.10', 'the connection is not encrypted: the password is not sent over it');
  const offered = extensions.get('AUTH');
  if (offered === undefined) return refusal('5.7.4', 'the server offers no AUTH');
  const mechanism = strongestOf(offered.split(/[ =]+/), conversation.binding);
  if (mechanism === undefined)
    return refusal('5.7.4', `the server offers no mechanism that we know (${offered || 'none'})`);
  try {
    const password = await readSecret(login);
    if (typeof password !== 'string') return password.refusal;
    const exchange = startClientExchange(
      mechanism,
      { user: login.user, password },
      { nonce, binding: conversation.binding },
    );
    return await converse(conversation, exchange, authMs);
  } catch (error) {
    return byConnection(phase, error);
  }
}

/** Of this machine: a Unix socket, and loopback where the operator wants it. */
function staysHere(address: string, { inClear }: Login): boolean {
  if (address.startsWith('/')) return true;
  const isLoopback = parseIpv4(address)?.[0] === 127 || parseIpv6(address)?.join(':') === '0:0:0:0:0:0:0:1';
  return inClear === true && isLoopback;
}

async function readSecret({ password }: Login): Promise<string | { refusal: Verdict }> {
  try {
    return await password();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { refusal: refusal('5.3.5', `the password cannot be read: ${reason}`) };
  }
}

async function converse(
  conversation: Conversation,
  exchange: ClientExchange,
  timeoutMs: number,
): Promise<Verdict | undefined> {
  const { mechanism, initialResponse } = exchange;
  const command = `AUTH ${mechanism}`;
  if (initialResponse === undefined) conversation.send([command]);
  else conversation.sendSecret(`${command} ${encode(initialResponse)}`, `${command} ***`);
  for (let step = 0; step < maxSteps; step++) {
    const reply = await conversation.reply(timeoutMs);
    if (reply.code !== 334) return endOf(reply, exchange);
    const response = await answer(exchange, reply);
    if (response instanceof MalformedChallengeError) return cancel(conversation, response, timeoutMs);
    conversation.sendSecret(encode(response), '***');
  }
  throw new ConversationError('protocol', 'AUTH comes to no end');
}

async function answer(exchange: ClientExchange, challenge: Reply): Promise<string | MalformedChallengeError> {
  try {
    return await exchange.respond(Buffer.from(challenge.lines.join(''), 'base64').toString('utf8'));
  } catch (error) {
    if (error instanceof MalformedChallengeError) return error;
    throw error;
  }
}

/** A lone `*` ends an exchange (RFC 4954 §4); what the server says to that tells nothing new. */
async function cancel(conversation: Conversation, { message }: Error, timeoutMs: number): Promise<Verdict> {
  conversation.send(['*']);
  await conversation.reply(timeoutMs);
  return refusal('5.7.8', message);
}

/** A server that has not proven what it must prove may be another than the one we know. */
function endOf(reply: Reply, { isComplete }: ClientExchange): Verdict | undefined {
  if (reply.code >= 300 && reply.code < 400)
    throw new ConversationError('protocol', `unexpected reply while ${phase}: ${replyText(reply)}`);
  if (reply.code >= 400) return byReply(phase, reply);
  return isComplete ? undefined : refusal('5.7.8', 'the server did not prove that it knows the password');
}

const encode = (text: string): string => Buffer.from(text).toString('base64');

const refusal = (status: string, reason: string): Verdict => ({ by: 'extension', phase, status, reason });
