/** One scripted receiver: what it answers an attempt, and how long that takes, classified as delivery does it. */

import type { Outcome } from '../delivery/outcome.ts';
import { classify, classifyOpening } from '../delivery/replies/classify.ts';
import type { PermanentFailures } from '../delivery/replies/failure-rules.ts';
import { defaultTimeouts } from '../smtp/client-timeouts.ts';
import { byReply, type Phase } from '../smtp/client-verdict.ts';
import { ConversationError } from '../smtp/conversation.ts';
import { type Reply, reply } from '../smtp/reply.ts';
import type { ReceiverPhase, ReceiverScript } from './scenario.ts';

export interface Answer {
  outcome: Outcome;
  durationMs: number;
}

/** Of a message: when it was tried first, ms since the epoch. */
export interface Tried {
  firstTriedAt: number | undefined;
}

const endpoint = { host: 'mx.invalid', address: '192.0.2.1', port: 25 };
const minuteMs = 60_000;

/** A refused connection is told at once, and `421` with the greeting. */
const refusalMs = 50;
const greetingMs = 250;

export interface ReceiverParts {
  startAt: number;
  random: () => number;
  permanentFailures: PermanentFailures;
}

export class Receiver {
  readonly script: ReceiverScript;
  readonly #policy: PermanentFailures;
  readonly #random: () => number;
  readonly #startAt: number;
  #active = 0;
  /** Messages of the minute that began then. */
  #minute = { at: Number.NEGATIVE_INFINITY, messages: 0 };

  constructor(script: ReceiverScript, { startAt, random, permanentFailures }: ReceiverParts) {
    this.script = script;
    this.#startAt = startAt;
    this.#random = random;
    this.#policy = permanentFailures;
  }

  /** An attempt begins; `end()` is to be called when its time is over. */
  begin(message: Tried, now: number): Answer {
    this.#active++;
    const does = this.#phaseAt(now)?.does;
    if (does === 'refuses') return { outcome: notReached('connect', 'refused'), durationMs: refusalMs };
    if (does === 'silent')
      return { outcome: notReached('timeout', 'no answer'), durationMs: defaultTimeouts.connectMs };
    const latencyMs = does !== undefined && 'latencyMs' in does ? does.latencyMs : this.script.latencyMs;
    const durationMs = Math.round(latencyMs * (0.75 + this.#random() / 2));
    const scripted = does !== undefined && 'code' in does ? does : undefined;
    const said = scripted ?? this.#limit(now) ?? this.#answer(message, now);
    return {
      outcome: outcomeOf(said, this.#policy),
      durationMs: said.code === 421 ? Math.min(durationMs, greetingMs) : durationMs,
    };
  }

  end(): void {
    this.#active--;
  }

  #phaseAt(now: number): ReceiverPhase | undefined {
    const since = now - this.#startAt;
    return this.script.phases.find(({ fromMs, untilMs }) => fromMs <= since && since < untilMs);
  }

  #limit(now: number): Reply | undefined {
    const { connections = Number.POSITIVE_INFINITY, messagesPerMinute = Number.POSITIVE_INFINITY } =
      this.script;
    if (this.#active > connections) return reply(421, '4.7.0', 'Too many connections');
    if (now - this.#minute.at >= minuteMs) this.#minute = { at: now, messages: 0 };
    if (this.#minute.messages >= messagesPerMinute) return reply(421, '4.7.28', 'Unusual rate of mail');
    this.#minute.messages++;
    return undefined;
  }

  #answer({ firstTriedAt }: Tried, now: number): Reply {
    const { greylistMs } = this.script;
    if (greylistMs > 0 && now - (firstTriedAt ?? now) < greylistMs) return reply(451, '4.7.1', 'Greylisted');
    return reply(250, '2.0.0', 'OK');
  }
}

/** A 421 is said to whoever connects, a success to the final dot, all else of the recipient. */
function outcomeOf(said: Reply, policy: PermanentFailures): Outcome {
  if (said.code === 421) return classifyOpening(byReply('waiting for the greeting', said), endpoint);
  const phase: Phase = said.code < 300 ? 'sending end of data' : 'sending RCPT TO';
  return classify(byReply(phase, said), endpoint, policy);
}

const notReached = (kind: 'connect' | 'timeout', text: string): Outcome =>
  classifyOpening(
    { by: 'connection', phase: 'connecting', error: new ConversationError(kind, text) },
    endpoint,
  );
