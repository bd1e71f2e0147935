/**
 * The last third of the wiring: what listens. A reload binds what is new, keeps what stays open, and closes what is gone;
 * a connection is served as what is in force when it comes.
 */

import type { Config, ListenerConfig } from '../config/config.ts';
import type { OpenSession } from '../net/connection.ts';
import { Crowd } from '../net/crowd.ts';
import { requestMs } from '../net/http-limits.ts';
import { bind, type Listener, type Service } from '../net/listener.ts';
import { networkSet } from '../net/networks.ts';
import type { Lasting } from './core.ts';
import type { Edition } from './edition.ts';
import type { InForce } from './in-force.ts';
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

  constructor(inForce: InForce, parts: Pick<Lasting, 'log' | 'defence'>) {
    this.#parts = parts;
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
    for (const [index, config] of listeners.entries()) {
      const place = placeOf(config, index);
      const known = this.#open.get(place)?.listener;
      const listener =
        known ??
        (await bind({ ...config, log: this.#parts.log }).catch((cause) => {
          throw new NotBound(index, cause);
        }));
      if (known === undefined) fresh.defer(() => listener.close());
      next.set(place, { listener, config });
    }
    fresh.move();
    return { make: (edition) => this.#replace(next, edition) };
  }

  /** Stops listening, ends the sessions, and resolves when every connection is gone. */
  async close(): Promise<void> {
    // A listener is closed when its last connection is gone: sessions are ended meanwhile, not afterwards.
    const closed = [...this.#open.values()].map(({ listener }) => listener.close());
    await Promise.all([...closed, endAll(this.#crowd.sessions), endAll(this.#visitors.sessions)]);
  }

  #replace(next: Open, edition: Edition): void {
    for (const [place, { listener }] of this.#open) if (!next.has(place)) void listener.retire();
    for (const { listener, config } of next.values()) listener.serveBy(this.#serviceOf(config, edition));
    this.#open = next;
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

/** What a socket is known by. Each with port 0 is another one, in the order of the file. */
function placeOf({ address, port, socket }: ListenerConfig, index: number): string {
  if (socket !== undefined) return socket;
  return port === 0 ? `${address} any port, for listener ${index}` : `${address} port ${port}`;
}

async function endAll(sessions: ReadonlySet<OpenSession>): Promise<void> {
  for (const session of sessions) session.end('shutdown');
  await Promise.all([...sessions].map(({ closed }) => closed));
}

function refusalText(protocol: ListenerConfig['protocol'], hostname: string, words: string): string {
  return protocol.startsWith('pop3') ? `-ERR [SYS/TEMP] ${words}\r\n` : `421 4.7.0 ${hostname} ${words}\r\n`;
}
