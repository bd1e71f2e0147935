/**
 * The certificates that our listeners show, by the name that a client asks for. They come from several places, each of
 * which replaces its own all at once; handshakes under way, and sessions that stand, keep what they have.
 */

import { randomBytes, type X509Certificate } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { AlpnChallenges } from './alpn-challenges.ts';
import { coversName, type KeyPair, type ShownCertificate } from './key-pair.ts';
import { type Audience, type ServerTls, serverContext } from './server-context.ts';

export type { Audience, SecureContext, ServerTls };

/** In the order in which they are preferred, for a name that several cover. */
const origins = ['configuration', 'acme', 'self-signed'] as const;
export type Origin = (typeof origins)[number];

/** A certificate as people know it. */
export interface KnownCertificate extends ShownCertificate {
  origin: Origin;
  /** The file that it came from. */
  file: string;
  /** Why what lies in its files now cannot take its place. */
  trouble?: string;
}

export interface Provided extends Pick<KnownCertificate, 'file' | 'trouble'> {
  pair: KeyPair;
}

interface Shown extends Provided {
  origin: Origin;
  contexts: Record<Audience, SecureContext>;
}

export class Certificates {
  /** Who asks for no name, or for one that nobody has, is shown the certificate of this name. */
  readonly #hostname: string;
  readonly #byOrigin = new Map<Origin, readonly Shown[]>();
  #all: readonly Shown[] = [];
  readonly #ticketKeys: Buffer;
  readonly #onFailure: NonNullable<ServerTls['onFailure']>;
  readonly #listeners = new Set<() => void>();
  readonly challenges = new AlpnChallenges();
  readonly servers: ServerTls = this.#view('servers');
  readonly users: ServerTls = { ...this.#view('users'), challenges: this.challenges };

  /**
   * A client takes up its session again, whatever has been replaced meanwhile, where `ticketKeys` are the same: 48 octets.
   * `onFailure` hears of each handshake that failed.
   */
  constructor(
    hostname: string,
    ticketKeys: Buffer = randomBytes(48),
    onFailure: ServerTls['onFailure'] = () => undefined,
  ) {
    this.#hostname = hostname;
    this.#ticketKeys = ticketKeys;
    this.#onFailure = onFailure;
  }

  /** All that this origin has, in the place of what it had. Throws, and changes nothing, where one cannot be used. */
  replace(origin: Origin, provided: readonly Provided[]): void {
    const shown = provided.map((one) => this.#show(one, origin));
    this.#byOrigin.set(origin, shown);
    this.#all = origins.flatMap((each) => this.#byOrigin.get(each) ?? []);
    for (const listener of this.#listeners) listener();
  }

  /** Returns how to stop listening. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Throws where there is no certificate at all. */
  contextFor(serverName: string | undefined, audience: Audience = 'users'): SecureContext {
    return this.#find(serverName).contexts[audience];
  }

  /** The one that belongs to this context's name. */
  certificateFor(serverName: string | undefined): X509Certificate {
    return this.#find(serverName).pair.certificate;
  }

  /** The first is preferred. */
  known(): KnownCertificate[] {
    const shownFor = this.#covering(this.#hostname) === undefined ? this.#hostname : undefined;
    return this.#all.map(({ pair, origin, file, trouble }, index) => ({
      ...pair.facts,
      ...{ origin, file },
      ...(trouble !== undefined && { trouble }),
      ...(index === 0 && shownFor !== undefined && { shownFor }),
    }));
  }

  #view(audience: Audience): ServerTls {
    return {
      contextFor: (serverName) => this.contextFor(serverName, audience),
      choosesByName: () => this.#all.length > 1,
      certificateFor: (serverName) => this.certificateFor(serverName),
      onFailure: (error) => this.#onFailure(error),
    };
  }

  #show(provided: Provided, origin: Origin): Shown {
    const context = (audience: Audience) =>
      serverContext({ ...provided.pair, audience, ticketKeys: this.#ticketKeys });
    return { ...provided, origin, contexts: { servers: context('servers'), users: context('users') } };
  }

  #find(serverName: string | undefined): Shown {
    const found =
      (serverName !== undefined && this.#covering(serverName.toLowerCase())) ||
      this.#covering(this.#hostname) ||
      this.#all[0];
    if (found === undefined) throw new Error('there is no certificate to show');
    return found;
  }

  #covering(name: string): Shown | undefined {
    return this.#all.find(({ pair }) => coversName(pair.facts.names, name));
  }
}
