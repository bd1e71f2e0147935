/**
 * TLS sessions that can be taken up again (RFC 8446 §2.2, RFC 5077), so that the next connection to a host needs no certificates and no
 * signatures. What the certificate was worth is kept with the session: nobody shows it again. Kept apart by host, by address of ours
 * and by policy: what was good enough for one is not taken up for another.
 */

import type { TLSSocket } from 'node:tls';
import type { TlsShown } from '../smtp/conversation.ts';
import type { Clock } from '../util/clock.ts';
import { lasting } from './tls-shown.ts';

export interface KeptSession {
  /** As OpenSSL writes it. */
  session: Buffer;
  /** Of all certificates that were sent. */
  chainBytes: number;
  /** Of the full handshake from which it descends. */
  shown: TlsShown;
  /** When that was, in ms since the epoch. */
  verifiedAt: number;
}

/** Hosts, policies and addresses of ours, taken together; the one used longest ago is forgotten first. */
export const maxKeys = 1000;
/** For connections at once: each has one to itself until its handshake is done. Servers send two as a rule. */
export const maxSessionsPerKey = 4;
/** Then the certificate is to be shown again, whatever the server would allow (RFC 8446 §4.6.1: a week). */
export const verdictLifeMs = 3600_000;
/** What a server has us keep for it. */
const maxSessionBytes = 16_384;
/** Sessions with their chains, as octets on the wire; the certificates take some times as much in memory. */
export const maxKeptBytes = 8 * 2 ** 20;

export interface Tickets {
  /** From now on they are kept, together with what was shown; gives that back. */
  keep(shown: TlsShown, verifiedAt: number): TlsShown;
}

export class TlsSessions {
  readonly #clock: Pick<Clock, 'now'>;
  /** The key used last at the end; of its sessions the newest at the end. */
  readonly #kept = new Map<string, KeptSession[]>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(clock: Pick<Clock, 'now'>, maxBytes = maxKeptBytes) {
    this.#clock = clock;
    this.#maxBytes = maxBytes;
  }

  /** The newest session; it is given out once, unless it is kept again. */
  take(key: string): KeptSession | undefined {
    const sessions = this.#kept.get(key);
    const newest = sessions?.at(-1);
    if (newest === undefined) return undefined;
    if (this.#isOld(newest)) return void this.forget(key);
    this.#set(key, sessions?.slice(0, -1) ?? []);
    return newest;
  }

  keep(key: string, kept: KeptSession): void {
    if (kept.session.length > maxSessionBytes || this.#isOld(kept)) return;
    const sessions = this.#kept.get(key) ?? [];
    this.forget(key);
    this.#set(key, [...sessions, kept].slice(-maxSessionsPerKey));
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= maxKeys && this.#bytes <= this.#maxBytes) break;
      this.forget(oldest);
    }
  }

  /** None of those that stand is taken up any more. */
  forget(key: string): void {
    this.#set(key, []);
  }

  #set(key: string, sessions: KeptSession[]): void {
    this.#bytes += bytesOf(sessions) - bytesOf(this.#kept.get(key) ?? []);
    if (sessions.length > 0) this.#kept.set(key, sessions);
    else this.#kept.delete(key);
  }

  /** Collects what a server offers: under TLS 1.2 before the handshake is done, under TLS 1.3 at any time after it. */
  follow(socket: TLSSocket, key: string): Tickets {
    const early: Buffer[] = [];
    let take = (session: Buffer): void => void early.push(session);
    socket.on('session', (session) => take(session));
    return {
      keep: (fresh, verifiedAt) => {
        const shown = lasting(fresh);
        const chainBytes = shown.chain().reduce((sum, { raw }) => sum + raw.length, 0);
        take = (session) => this.keep(key, { session, chainBytes, shown, verifiedAt });
        for (const session of early) take(session);
        const forget = () => {
          take = () => undefined;
          this.forget(key);
        };
        return { ...shown, forget };
      },
    };
  }

  #isOld({ verifiedAt }: KeptSession): boolean {
    return this.#clock.now() - verifiedAt >= verdictLifeMs;
  }
}

/** A chain that several sessions share counts for each of them. */
const bytesOf = (sessions: readonly KeptSession[]): number =>
  sessions.reduce((sum, { session, chainBytes }) => sum + session.length + chainBytes, 0);
