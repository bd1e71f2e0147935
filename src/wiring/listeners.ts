/**
 * The last third of the wiring: what listens. A reload binds what is new, keeps what stays open, and closes what is gone;
 * a connection is served as what is in force when it comes.
 */

import type { Config } from '../config/config.ts';
import type { ListenerConfig } from '../config/listeners.ts';
import type { Service } from '../net/accepting.ts';
import type { OpenSession } from '../net/connection.ts';
import { Crowd } from '../net/crowd.ts';
import { requestMs } from '../net/http-limits.ts';
import { bind, type Listener } from '../net/listener.ts';
import { networkSet } from '../net/networks.ts';
import type { PassedSocket } from '../net/passed-sockets.ts';
import type { Lasting } from './core.ts';
import type { Edition, InForce } from './in-force.ts';
import { type Doors, isFor, type OpenAlready, placeOf } from './places.ts';
import { mayDeliver } from './sessions.ts';
import { isWeb } from './web.ts';

export type Listening = Pick<Listener, 'address' | 'port'> & { protocol: ListenerConfig['protocol'] };

/** What listens where, by place. */
type Open = Map<string, { listener: Listener; config: ListenerConfig }>;

export interface Change {
  /** The new listeners serve, those that stay serve otherwise, and the others close. Neither waits nor fails. */
  make(edition: Edition): void;
}

/** A listener, by its place in the file from 0, cannot be had. The cause is the system's error. */
export class NotBound extends Error {
  override readonly name = 'NotBound';
  readonly index: number;

  constructor(index: number, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.index = index;
  }
}

export class Listeners {
  readonly #parts: Pick<Lasting, 'log' | 'defence'>;
  readonly #crowd: Crowd;
  /** Apart: visitors cannot crowd out mail. */
  readonly #visitors: Crowd;
  #open: Open = new Map();
  /** Open already: each is taken by the listener that is for it. */
  readonly #doors: Map<string, Listener>;
  readonly #passed: PassedSocket[];

  constructor(
    inForce: InForce,
    parts: Pick<Lasting, 'log' | 'defence'>,
    { doors = new Map(), passed = [] }: OpenAlready,
  ) {
    this.#parts = parts;
    this.#doors = new Map(doors);
    this.#passed = [...passed];
    this.#crowd = new Crowd(() => inForce.config.limits, parts.log);
    const visits = () => ({ sessions: inForce.config.web.connections, idleMs: requestMs });
    this.#visitors = new Crowd(visits, parts.log);
  }

  get listening(): Listening[] {
    return [...this.#open.values()].map(({ listener: { address, port }, config: { protocol } }) => ({
      address,
      port,
      protocol,
    }));
  }

  /** Binds what is not bound yet. Rejects with a NotBound, and has bound nothing then. */
  async prepare({ listeners }: Config): Promise<Change> {
    const next: Open = new Map();
    await using fresh = new AsyncDisposableStack();
    for (const [index, config] of this.#passedLast(listeners)) {
      const place = placeOf(config, index);
      const known = this.#open.get(place)?.listener ?? this.#doors.get(place);
      const listener =
        known ??
        (await this.#bind(place, config).catch((cause) => {
          throw new NotBound(index, cause);
        }));
      if (known === undefined && !this.#doors.has(place)) fresh.defer(() => listener.close());
      next.set(place, { listener, config });
    }
    fresh.move();
    return { make: (edition) => this.#replace(next, edition) };
  }

  /** Who listens at a passed socket takes connections from another process: only when nothing can fail any more. */
  #passedLast(listeners: readonly ListenerConfig[]): [number, ListenerConfig][] {
    const isPassed = ([, config]: [number, ListenerConfig]) =>
      this.#passed.some((socket) => isFor(config, socket));
    return [...listeners.entries()].sort((one, other) => Number(isPassed(one)) - Number(isPassed(other)));
  }

  /** A socket that was passed on to us stays open, whatever comes of it. */
  async #bind(place: string, config: ListenerConfig): Promise<Listener> {
    const { log } = this.#parts;
    const at = this.#passed.findIndex((socket) => isFor(config, socket));
    const [passed] = at < 0 ? [] : this.#passed.splice(at, 1);
    const listener = await bind({ ...config, log, passed: passed?.fd });
    if (passed !== undefined) this.#doors.set(place, listener);
    return listener;
  }

  get doors(): Doors {
    return new Map([...this.#open].map(([place, { listener }]) => [place, listener]));
  }

  /** From now on connections wait at the doors, which stay open and are no business of this object any more. */
  leaveOpen(): void {
    for (const { listener } of this.#open.values()) listener.hold();
    this.#open = new Map();
  }

  /** Sockets that were passed on to us, and that no listener is for. */
  get unclaimed(): readonly PassedSocket[] {
    return this.#passed;
  }

  /** Stops listening, ends the sessions, and resolves when every connection is gone. */
  async close(): Promise<void> {
    // A listener is closed when its last connection is gone: sessions are ended meanwhile, not afterwards.
    const closed = [...this.doors.values(), ...this.#doors.values()].map((listener) => listener.close());
    await Promise.all([...closed, endAll(this.#crowd.sessions), endAll(this.#visitors.sessions)]);
  }

  #replace(next: Open, edition: Edition): void {
    for (const [place, { listener }] of this.#open) if (!next.has(place)) void listener.retire();
    for (const { listener, config } of next.values()) listener.serveBy(this.#serviceOf(config, edition));
    this.#open = next;
    for (const place of next.keys()) this.#doors.delete(place);
  }

  #serviceOf(listener: ListenerConfig, edition: Edition): Service {
    const web = isWeb(listener) ? edition.web?.(listener) : undefined;
    if (web === undefined) return this.#mailService(listener, edition);
    return { ...web, serve: (socket, peer) => this.#visitors.add(web.serve(socket, peer)) };
  }

  #mailService(listener: ListenerConfig, edition: Edition): Service {
    const { config, certificates } = edition;
    const { gate } = this.#parts.defence;
    const { protocol, proxyProtocol } = listener;
    const trusted = networkSet(config.relay.trustedNetworks);
    const implicit = protocol === 'submissions' || protocol === 'pop3s';
    return {
      implicitTls: implicit ? certificates?.users : undefined,
      proxies: proxyProtocol && networkSet(proxyProtocol),
      enter: (peer) => {
        const refuse = (words: string) => ({ refusal: refusalText(protocol, config.hostname, words) });
        if (protocol === 'lmtp' && !mayDeliver(trusted, peer))
          return refuse('LMTP is for trusted networks only');
        const pass = gate.enter(peer);
        return pass.words === undefined ? pass : refuse(pass.words);
      },
      serve: (socket, peer, tls) => this.#crowd.add(edition.serve({ socket, listener, peer, tls })),
    };
  }
}

async function endAll(sessions: ReadonlySet<OpenSession>): Promise<void> {
  for (const session of sessions) session.end('shutdown');
  await Promise.all([...sessions].map(({ closed }) => closed));
}

function refusalText(protocol: ListenerConfig['protocol'], hostname: string, words: string): string {
  return protocol.startsWith('pop3') ? `-ERR [SYS/TEMP] ${words}\r\n` : `421 4.7.0 ${hostname} ${words}\r\n`;
}
