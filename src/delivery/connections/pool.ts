/**
 * Connections to receivers, kept open for a while after a message so that the next one needs no greeting and no TLS
 * handshake. Bounded in number, in idle time and in messages per connection. Knows no route and no message.
 */

import type { Endpoint, TlsFacts } from '../../dossier/event.ts';
import { type OpeningOptions, openSession, quit } from '../../smtp/client.ts';
import { parseLimits, SessionQuota } from '../../smtp/client-limits.ts';
import type { Session } from '../../smtp/client-session.ts';
import { type ClientTimeouts, defaultTimeouts } from '../../smtp/client-timeouts.ts';
import { byConnection, type Flaw, type Verdict } from '../../smtp/client-verdict.ts';
import { type Conversation, ConversationError, type Dial } from '../../smtp/conversation.ts';
import { opportunistic, type TlsDemand } from '../../smtp/tls-demand.ts';
import type { Clock } from '../../util/clock.ts';
import { Dialogue } from '../../util/dialogue.ts';
import { type DialFailure, dialFirst } from './dial-first.ts';
import { Flaws } from './flaws.ts';
import { Winners } from './winners.ts';

export interface PoolLimits {
  /** Shorter than the time after which receivers hang up. */
  idleMs: number;
  idlePerEndpoint: number;
  idle: number;
  messagesPerConnection: number;
}

export const defaultPoolLimits: PoolLimits = {
  idleMs: 4000,
  idlePerEndpoint: 20,
  idle: 200,
  messagesPerConnection: 100,
};

export interface PoolParts {
  dial: Dial;
  clock: Clock;
  /** Our own name, as DNS knows it. */
  ehloName: string;
  /** By address of ours, where one has another. */
  ehloNames?: ReadonlyMap<string, string>;
  /** How every session of a transport begins, whatever else is demanded. */
  opening?: Pick<OpeningOptions, 'protocol' | 'login' | 'demand'>;
  timeouts?: ClientTimeouts;
  limits?: PoolLimits;
}

/** A session on loan. It is to be given back, also when it is of no use any more. */
export interface Loan {
  readonly session: Session;
  readonly endpoint: Endpoint;
  /** Under which it was opened. */
  readonly demand: TlsDemand;
  /** Mail went over this connection before. */
  readonly reused: boolean;
  /** When this loan began, in ms since the epoch. */
  readonly startedAt: number;
  /** Addresses of the same host that were being tried when this one answered. */
  readonly outran?: readonly Endpoint[];
}

/** No session came about; what was said until then. */
export interface Refused {
  verdict: Verdict;
  endpoint: Endpoint;
  /** Our address, where a connection came about. */
  source?: string | undefined;
  outran?: readonly Endpoint[];
  startedAt: number;
  dialogue: Dialogue | undefined;
  tls?: TlsFacts;
}

/** What came of the addresses of a host. */
export interface Opened {
  loan?: Loan;
  /** Those that came to nothing, in order. The others have not been tried to the end. */
  refused: readonly Refused[];
}

interface Idle {
  readonly session: Session;
  readonly messages: number;
  readonly since: number;
}

export class ConnectionPool {
  readonly #parts: PoolParts;
  readonly #timeouts: ClientTimeouts;
  readonly #limits: PoolLimits;
  /** By endpoint and demand, the one used last at the end. */
  readonly #idle = new Map<string, Idle[]>();
  #idleCount = 0;
  readonly #messages = new WeakMap<Session, number>();
  readonly #winners: Winners;
  readonly #flaws: Flaws;
  readonly #goodbyes = new Set<Promise<void>>();
  #cancelSweep: (() => void) | undefined;
  #closed = false;

  constructor(parts: PoolParts) {
    this.#parts = parts;
    this.#timeouts = parts.timeouts ?? defaultTimeouts;
    this.#limits = parts.limits ?? defaultPoolLimits;
    this.#winners = new Winners(parts.clock);
    this.#flaws = new Flaws(parts.clock);
  }

  /** A connection to one of the endpoints that stands already, if there is one that had to show the same of TLS. */
  take(endpoints: readonly Endpoint[], demand = opportunistic): Loan | undefined {
    for (const endpoint of endpoints) {
      const loan = this.#takeOf(endpoint, demand);
      if (loan !== undefined) return loan;
    }
    return undefined;
  }

  /**
   * A new connection to a host, greeted and secured as demanded: to the first of its addresses that answers, best first.
   * Ends early when the signal is aborted.
   */
  async open(endpoints: readonly Endpoint[], signal?: AbortSignal, demand = opportunistic): Promise<Opened> {
    const { dial, clock } = this.#parts;
    const timeoutMs = this.#timeouts.connectMs;
    const { first, failures } = await dialFirst(
      { dial, clock, timeoutMs, signal },
      this.#winners.inOrder(endpoints),
    );
    const refused = failures.map(notConnected);
    if (first === undefined) return { refused };
    const { conversation, ...connected } = first;
    this.#winners.note(endpoints, connected.endpoint);
    const opening = await closingOnAbort(conversation, signal, () =>
      openSession(conversation, {
        ehloName: this.#ehloName(conversation),
        timeouts: this.#timeouts,
        demand,
        ...this.#parts.opening,
      }),
    );
    if ('session' in opening) {
      const { session } = opening;
      const limits = parseLimits(session.extensions);
      if (limits) session.quota = new SessionQuota(limits);
      this.#flaws.strip(connected.endpoint, session);
      return { loan: { session, demand, reused: false, ...connected }, refused };
    }
    this.#sayGoodbye(conversation);
    const { localAddress: source, dialogue } = conversation;
    return { refused: [...refused, { ...opening, ...connected, source, dialogue }] };
  }

  /** Keeps the connection for the next message, or ends it after so many. */
  giveBack(
    { session, endpoint, demand }: Loan,
    messagesPerConnection = this.#limits.messagesPerConnection,
  ): void {
    const { idlePerEndpoint, idle } = this.#limits;
    const messages = (this.#messages.get(session) ?? 0) + 1;
    this.#messages.set(session, messages);
    const key = idleKey(endpoint, demand);
    const waiting = this.#idle.get(key) ?? [];
    const isFull = waiting.length >= idlePerEndpoint || this.#idleCount >= idle;
    if (
      this.#closed ||
      isFull ||
      messages >= messagesPerConnection ||
      session.quota?.isUsedUp ||
      !session.conversation.quiet
    )
      return this.#sayGoodbye(session.conversation);
    waiting.push({ session, messages, since: this.#parts.clock.now() });
    this.#idle.set(key, waiting);
    this.#idleCount++;
    this.#cancelSweep ??= this.#parts.clock.after(this.#limits.idleMs, () => this.#sweep());
  }

  /** The receiver offers this and does not do it: no session with it, old or new, has it from now on. */
  noteFlaw({ endpoint }: Loan, flaw: Flaw): void {
    this.#flaws.note(endpoint, flaw);
  }

  /** Says goodbye on all idle connections; those on loan are ended when they come back. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelSweep?.();
    this.#endIdleSince(Number.POSITIVE_INFINITY);
    await Promise.all(this.#goodbyes);
  }

  #ehloName({ localAddress = '' }: Conversation): string {
    const { ehloName, ehloNames } = this.#parts;
    return ehloNames?.get(localAddress) ?? ehloName;
  }

  #takeOf(endpoint: Endpoint, demand: TlsDemand): Loan | undefined {
    const waiting = this.#idle.get(idleKey(endpoint, demand)) ?? [];
    for (let entry = waiting.pop(); entry !== undefined; entry = waiting.pop()) {
      this.#idleCount--;
      const { session } = entry;
      if (session.conversation.quiet) return this.#lend(session, endpoint, demand);
      session.conversation.close();
    }
    return undefined;
  }

  #lend(session: Session, endpoint: Endpoint, demand: TlsDemand): Loan {
    const { now } = this.#parts.clock;
    session.conversation.dialogue = new Dialogue(now);
    this.#flaws.strip(endpoint, session);
    return { session, endpoint, demand, reused: true, startedAt: now() };
  }

  /** One timer for all connections: ends those that have waited long enough and looks again later. */
  #sweep(): void {
    const { clock } = this.#parts;
    const { idleMs } = this.#limits;
    this.#endIdleSince(clock.now() - idleMs);
    this.#cancelSweep = this.#idleCount > 0 ? clock.after(idleMs / 2, () => this.#sweep()) : undefined;
  }

  #endIdleSince(latest: number): void {
    for (const [key, waiting] of this.#idle) {
      const kept = waiting.filter(({ since }) => since > latest);
      for (const { session, since } of waiting) if (since <= latest) this.#sayGoodbye(session.conversation);
      this.#idleCount -= waiting.length - kept.length;
      if (kept.length > 0) this.#idle.set(key, kept);
      else this.#idle.delete(key);
    }
  }

  #sayGoodbye(conversation: Conversation): void {
    if (!conversation.quiet) return conversation.close();
    const goodbye = quit(conversation, this.#timeouts).finally(() => this.#goodbyes.delete(goodbye));
    this.#goodbyes.add(goodbye);
  }
}

const notConnected = ({ endpoint, startedAt, error }: DialFailure): Refused => ({
  verdict: byConnection('connecting', error),
  endpoint,
  startedAt,
  dialogue: undefined,
});

const idleKey = ({ host, address, port, implicitTls, source = '' }: Endpoint, { key }: TlsDemand): string =>
  `${host} ${address} ${port}${implicitTls ? ' tls' : ''} ${source} ${key}`;

/** Does something with a conversation that ends as soon as the signal is aborted. */
export async function closingOnAbort<T>(
  conversation: Conversation,
  signal: AbortSignal | undefined,
  action: () => Promise<T>,
): Promise<T> {
  const abort = () => conversation.close(new ConversationError('aborted', 'we are stopping'));
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await action();
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
