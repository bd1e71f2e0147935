/**
 * The care for one certificate: whether it is to be asked for, with which key, and what came of it. What is tried is on disk
 * before it is tried. RFC 8555; when, is `renewal-plan.ts`, and whether a new key may be used, `key-gate.ts`.
 */

import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { AcmeConfig } from '../config/acme.ts';
import type { WantedCertificate } from '../config/wanted-certificates.ts';
import { coversName, type KeyPair } from '../net/key-pair.ts';
import type { Certificates } from '../net/tls-context.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import { AcmeError } from './acme-error.ts';
import { type IssuedStatus, type KeptCertificate, statusOf } from './acme-status.ts';
import type { Authority } from './authority.ts';
import type { DnsProofs } from './dns-proof.ts';
import { askGate, type GateAnswer } from './key-gate.ts';
import { keyOf, newKey, spkiSha256 } from './keys.ts';
import { certificateId, type RenewalWindow } from './renewal-info.ts';
import { leastAge, minuteMs, nextAdvice, renewalTime, waitAfterFailure } from './renewal-plan.ts';
import type { CertificateState, Vault } from './vault.ts';

export interface CareParts {
  settings: AcmeConfig;
  hostname: string;
  vault: Vault;
  authority: Authority;
  certificates: Certificates;
  /** Of optional names, those that DNS leads to us. */
  namesThatAreOurs(names: readonly string[], before: readonly string[]): Promise<string[]>;
  proofs: Pick<DnsProofs, 'tlsaOf'>;
  /** PEM, of the certificate that is signed by itself: what DNS may say of it already stays right. */
  firstKey(id: string): Promise<string | undefined>;
  clock: Clock;
  log: Log;
  random(): number;
  signal: AbortSignal;
}

type Reason = 'first' | 'names' | 'renewal' | 'rollover' | 'wish';

/** `isWish`: somebody asks for it now, whatever has failed; `force`: also where nothing is due. */
export interface Occasion {
  isWish: boolean;
  force: boolean;
}

/** While a key waits for DNS, it is looked at so often. */
export const gateMs = 5 * minuteMs;

export class CertificateCare {
  readonly #parts: CareParts;
  readonly #kept: KeptCertificate;
  /** Another certificate is in use. */
  readonly #changed: () => void;

  constructor(parts: CareParts, kept: KeptCertificate, changed: () => void) {
    this.#parts = parts;
    this.#kept = kept;
    this.#changed = changed;
  }

  get id(): string {
    return this.#kept.wanted.id;
  }

  get wanted(): WantedCertificate {
    return this.#kept.wanted;
  }

  get pair(): KeyPair | undefined {
    return this.#kept.pair;
  }

  get state(): CertificateState {
    return this.#parts.vault.stateOf(this.id);
  }

  status(): IssuedStatus {
    return statusOf(this.#kept, this.state);
  }

  /** When it wants to be looked at again; those moments that are over are no reason. */
  moments(now: number): number[] {
    const { notBefore = 0, renewAt = 0, askAdviceAt, rollover } = this.state;
    const due = this.pair === undefined ? notBefore : Math.max(renewAt, notBefore);
    const gate = rollover === undefined ? [] : [now + gateMs];
    return [due, ...(askAdviceAt === undefined ? [] : [askAdviceAt]), ...gate];
  }

  /** Rejects with the signal's reason, or where what is known cannot be kept. */
  async tend({ isWish, force }: Occasion): Promise<void> {
    const { clock, signal } = this.#parts;
    signal.throwIfAborted();
    await this.#lookAtNames();
    if (this.#kept.names.length === 0) return;
    await this.#takeAdvice();
    const reason = this.#reason(force);
    if (reason === undefined) return;
    const { notBefore = 0 } = this.state;
    if (!isWish && notBefore > clock.now()) return;
    try {
      const key = await this.#keyFor(reason);
      if (key !== undefined) await this.#attempt(reason, key);
    } catch (error) {
      signal.throwIfAborted();
      await this.#failed(error);
    }
  }

  /** Has a key made that takes the place of the present one. */
  async beginRollover(isUrgent: boolean): Promise<void> {
    const { clock, vault, settings } = this.#parts;
    if (this.#kept.nextKey === undefined) {
      this.#kept.nextKey = await newKey(settings.keyType);
      await vault.keepNextKey(this.id, this.#kept.nextKey);
    }
    const { since, shownSince, ttl = 0 } = this.state.rollover ?? {};
    await this.#remember({
      rollover: {
        since: since ?? clock.now(),
        ttl,
        ...(shownSince !== undefined && { shownSince }),
        ...(isUrgent && { isUrgent }),
      },
    });
  }

  /** Has the one before revoked. Rejects with an AcmeError: it can be tried again. */
  async revokeReplaced(): Promise<void> {
    const { replaced } = this.#kept;
    const { authority, vault, log } = this.#parts;
    if (replaced === undefined)
      throw new AcmeError(
        'ours',
        `${this.id}: there is nothing to revoke. A certificate is kept for it where its key is replaced at once: posthorn tls rollover --now.`,
      );
    await authority.revoke(replaced);
    log.info({ certificate: this.id, notAfter: isoText(replaced.facts.notAfter) }, 'certificate revoked');
    this.#kept.replaced = undefined;
    await vault.dropReplaced(this.id);
  }

  async #lookAtNames(): Promise<void> {
    const { wanted, pair } = this.#kept;
    if (!wanted.isOptional) return;
    this.#kept.names = await this.#parts.namesThatAreOurs(wanted.names, pair?.facts.names ?? []);
    if (this.#kept.names.length > 0) delete this.#kept.note;
    else this.#kept.note = `DNS leads none of ${wanted.names.join(', ')} to this server`;
  }

  #reason(force: boolean): Reason | undefined {
    const { pair, names, nextKey } = this.#kept;
    if (pair === undefined) return 'first';
    const { renewAt = 0, rollover } = this.state;
    if (names.some((name) => !coversName(pair.facts.names, name))) return 'names';
    if (rollover !== undefined && nextKey !== undefined) return 'rollover';
    if (renewAt <= this.#parts.clock.now()) return 'renewal';
    return force ? 'wish' : undefined;
  }

  /** The key that stands, or the next one where that is its turn. Undefined: nothing is to be asked for yet. */
  async #keyFor(reason: Reason): Promise<KeyObject | undefined> {
    const { pair } = this.#kept;
    if (pair !== undefined && reason !== 'rollover') return keyOf(pair);
    const key = await this.#nextKey();
    const gate = await this.#askGate(key);
    this.#kept.gate = gate;
    if (gate.isOpen) return key;
    // The present key does meanwhile.
    const isDue = (this.state.renewAt ?? 0) <= this.#parts.clock.now();
    return pair !== undefined && isDue ? keyOf(pair) : undefined;
  }

  async #nextKey(): Promise<KeyObject> {
    const { vault, settings, firstKey } = this.#parts;
    if (this.#kept.nextKey === undefined) {
      const first = await firstKey(this.id);
      this.#kept.nextKey = first === undefined ? await newKey(settings.keyType) : createPrivateKey(first);
      await vault.keepNextKey(this.id, this.#kept.nextKey);
    }
    return this.#kept.nextKey;
  }

  async #askGate(key: KeyObject): Promise<GateAnswer> {
    const { proofs, settings, hostname, certificates, clock, signal } = this.#parts;
    const { pair, names } = this.#kept;
    const { rollover } = this.state;
    const next = spkiSha256(key);
    const shown = certificates.known().find((one) => coversName(one.names, this.id));
    const current = (pair?.facts ?? shown)?.spkiSha256;
    if (rollover?.isUrgent || current === next) return { isOpen: true, ttl: 0 };
    const { since = clock.now(), shownSince, ttl = 0 } = rollover ?? {};
    const mustShow = settings.dane && pair !== undefined ? hostname : undefined;
    const question = { names, next, current, mustShow, shownSince, ttl, now: clock.now() };
    const gate = await askGate(proofs, question, signal);
    const seen = gate.shownSince === undefined ? {} : { shownSince: gate.shownSince };
    if (rollover !== undefined || !gate.isOpen)
      await this.#remember({ rollover: { since, ttl: gate.ttl, ...seen } });
    return gate;
  }

  /** It is no attempt: an authority that gives no advice, or cannot be asked, keeps nobody from renewing. */
  async #takeAdvice(): Promise<void> {
    const { authority, clock, log, signal } = this.#parts;
    const { pair } = this.#kept;
    const id = pair && certificateId(pair.certificate);
    const isOver = pair !== undefined && pair.facts.notAfter <= clock.now(); // RFC 9773 §4.3
    if (pair === undefined || id === undefined || isOver || (this.state.askAdviceAt ?? 0) > clock.now())
      return;
    try {
      const advice = await authority.advice(id);
      const askAdviceAt = clock.now() + nextAdvice(advice?.retryAfterMs);
      await this.#remember({ askAdviceAt, ...(advice && this.#heed(advice.window, pair)) });
    } catch (error) {
      signal.throwIfAborted();
      log.info({ certificate: this.id, error: textOf(error) }, 'no advice when to renew');
      const retryAfterMs = error instanceof AcmeError ? error.retryAfterMs : undefined;
      await this.#remember({ askAdviceAt: clock.now() + nextAdvice(retryAfterMs) });
    }
  }

  /** A moment that is chosen stays as long as the window does (RFC 9773 §4.2). */
  #heed(window: RenewalWindow, { facts }: KeyPair): Partial<CertificateState> {
    const { advice: before } = this.state;
    if (before?.start === window.start && before.end === window.end) return { advice: window };
    const soonest = (this.state.issuedAt ?? 0) + leastAge(facts);
    const renewAt = Math.max(renewalTime(facts, window, this.#parts.random()), soonest);
    const log = { certificate: this.id, renewAt: isoText(renewAt), explanation: window.explanation };
    this.#parts.log.info(log, 'advice when to renew');
    return { advice: window, renewAt };
  }

  async #attempt(reason: Reason, key: KeyObject): Promise<void> {
    const { vault, authority, clock, log } = this.#parts;
    const { names, pair: before } = this.#kept;
    // Before it is tried: whoever is killed in the middle of it has tried.
    const failures = this.state.failures + 1;
    await this.#remember({ failures, attemptedAt: clock.now(), ...this.#pause(failures) });
    log.info({ certificate: this.id, names, reason }, 'asking for a certificate');
    const replaces = before && certificateId(before.certificate);
    const pair = await authority.obtain({ names, key, replaces });
    if (reason === 'rollover' && before && this.state.rollover?.isUrgent) {
      await vault.keepReplaced(this.id, before);
      this.#kept.replaced = before;
    }
    await vault.keepPair(this.id, pair);
    await this.#succeeded(pair, key);
  }

  async #succeeded(pair: KeyPair, key: KeyObject): Promise<void> {
    const { vault, log, random, clock } = this.#parts;
    const { nextKey } = this.#kept;
    this.#kept.pair = pair;
    delete this.#kept.gate;
    this.#changed();
    const usesNext = nextKey !== undefined && spkiSha256(nextKey) === spkiSha256(key);
    if (usesNext) {
      await vault.dropNextKey(this.id);
      this.#kept.nextKey = undefined;
    }
    const { rollover } = this.state;
    const renewAt = renewalTime(pair.facts, undefined, random());
    await vault.keepState(this.id, {
      ...{ failures: 0, issuedAt: clock.now(), renewAt },
      ...(rollover && !usesNext && { rollover }),
    });
    const { names, issuer, notAfter } = pair.facts;
    log.info(
      { certificate: this.id, names, issuer, notAfter: isoText(notAfter) },
      'certificate issued, and in use',
    );
  }

  async #failed(error: unknown): Promise<void> {
    const { log, clock } = this.#parts;
    const text = textOf(error);
    const retryAfterMs = error instanceof AcmeError ? error.retryAfterMs : undefined;
    const pause = this.#pause(this.state.failures, retryAfterMs);
    log.error({ certificate: this.id, error: text, again: isoText(pause.notBefore) }, 'no certificate');
    if (!(error instanceof AcmeError)) log.error({ err: error }, 'internal error: certificates');
    await this.#remember({ ...pause, lastError: { at: clock.now(), text } });
  }

  #pause(failures: number, retryAfterMs?: number): { notBefore: number; isAsked: boolean } {
    const { clock, random } = this.#parts;
    const waitMs = waitAfterFailure(failures, retryAfterMs, random());
    return { notBefore: clock.now() + waitMs, isAsked: retryAfterMs !== undefined };
  }

  #remember(change: Partial<CertificateState>): Promise<void> {
    return this.#parts.vault.keepState(this.id, { ...this.state, ...change });
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const isoText = (ms: number): string => new Date(ms).toISOString();
