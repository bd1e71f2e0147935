/**
 * Asks one certain name server, over UDP and, where the reply does not fit, over TCP; a second time where nothing comes back.
 * Remembers nothing. RFC 1035 §4.2, RFC 5452 §9.2.
 */

import { randomInt } from 'node:crypto';
import { type DirectQuestion, type DirectReply, decodeDirect, encodeDirect } from '../dns/direct.ts';
import type { Clock } from '../util/clock.ts';
import { turnstile } from '../util/turnstile.ts';
import { type Exchanged, exchangeOverTcp, exchangeOverUdp, type ServerAddress } from './dns-exchange.ts';

/** `isUnheard`: nobody listens there, or this machine has no way to it. Rejects only with the signal's reason. */
export type AskDirectly = (
  server: ServerAddress,
  question: DirectQuestion,
  signal?: AbortSignal,
) => Promise<DirectReply | { error: string; isUnheard?: boolean }>;

export interface DirectAskerParts {
  clock: Clock;
  random?: () => number;
  /** For one reply. */
  timeoutMs?: number;
  attempts?: number;
  /** Questions under way at once, each with a socket of its own. */
  maxQuestions?: number;
}

/** Questions that wait their turn; more fail at once. */
const maxWaiting = 10_000;

export function directAsker({
  clock,
  random = () => randomInt(2 ** 32) / 2 ** 32,
  timeoutMs = 1_500,
  attempts = 2,
  maxQuestions = 64,
}: DirectAskerParts): AskDirectly {
  const turns = turnstile(maxQuestions, maxWaiting);
  const once = async (server: ServerAddress, question: DirectQuestion, signal: AbortSignal | undefined) => {
    const id = Math.floor(random() * 2 ** 16);
    const query = encodeDirect(id, question);
    if (query === undefined) return { error: 'no question can hold this name' };
    const read = (bytes: Buffer) => decodeDirect(bytes, id, question);
    const exchange = { server, query, read, clock, timeoutMs, signal };
    if (question.overTcp) return replyOf(await exchangeOverTcp(exchange));
    const outcome = await exchangeOverUdp(exchange);
    return replyOf(
      'reply' in outcome && outcome.reply === 'truncated' ? await exchangeOverTcp(exchange) : outcome,
    );
  };
  return async (server, question, signal) => {
    if (!(await turns.enter(signal))) return { error: `more than ${maxWaiting} questions are waiting` };
    try {
      let result = await once(server, question, signal);
      for (let tries = 1; tries < attempts && 'error' in result && !result.isUnheard; tries += 1)
        result = await once(server, question, signal);
      return result;
    } finally {
      turns.leave();
    }
  };
}

function replyOf(
  outcome: Exchanged<DirectReply | 'truncated' | 'malformed'>,
): DirectReply | { error: string; isUnheard?: boolean } {
  if ('error' in outcome) return outcome;
  if (outcome.reply === 'truncated') return { error: 'its reply is cut short even over TCP' };
  return outcome.reply === 'malformed' ? { error: 'its reply is malformed' } : outcome.reply;
}
