/**
 * Keeps the certificates that come from an authority: cares for one after the other, at the moments that each wants, and does
 * what operators ask for.
 */

import type { WantedCertificate } from '../config/wanted-certificates.ts';
import type { KeyPair } from '../net/key-pair.ts';
import type { FileRead } from '../util/json-file.ts';
import { AcmeError } from './acme-error.ts';
import type { AcmeStatus } from './acme-status.ts';
import { type CareParts, CertificateCare, type Occasion } from './care.ts';
import { hourMs, minuteMs } from './renewal-plan.ts';

export interface KeeperParts extends CareParts {
  wanted: readonly WantedCertificate[];
}

/** All is looked at so often at least. */
export const roundMs = hourMs;
const leastPauseMs = 10_000;

export class AcmeKeeper {
  readonly #parts: KeeperParts;
  #all: readonly CertificateCare[] = [];
  #cancel = () => {};
  /** One thing at a time. */
  #work: Promise<unknown> = Promise.resolve();
  #isStarted = false;
  #toldOfClock = false;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  /** Shows what is on disk. What cannot be used there is as if it were not there: another one comes. */
  async open(): Promise<void> {
    const { vault, wanted, log } = this.#parts;
    const problem = await vault.open();
    if (problem !== undefined) log.warn({}, problem);
    this.#all = await Promise.all(
      wanted.map(async (one) => {
        const pair = this.#usable(vault.fileOf(one.id), await vault.pairOf(one.id));
        const nextKey = this.#usable(vault.nextKeyFileOf(one.id), await vault.nextKeyOf(one.id));
        const replaced = await this.#notRevoked(one.id);
        const kept = { wanted: one, names: one.names, pair, nextKey, replaced };
        return new CertificateCare(this.#parts, kept, () => this.#show());
      }),
    );
    this.#show();
  }

  /** One that is over counts no more, revoked or not. */
  async #notRevoked(id: string): Promise<KeyPair | undefined> {
    const { vault, clock } = this.#parts;
    const what = 'the certificate before cannot be revoked by it';
    const replaced = this.#usable(vault.replacedFileOf(id), await vault.replacedOf(id), what);
    if (replaced === undefined || replaced.facts.notAfter > clock.now()) return replaced;
    await vault.dropReplaced(id);
    return undefined;
  }

  #usable<T>(file: string, read: FileRead<T>, what = 'another one will take its place'): T | undefined {
    if ('value' in read) return read.value;
    const error = `${file} ${read.problem}; ${what}`;
    this.#parts.log.error({ error }, 'certificate');
    return undefined;
  }

  /** The listeners must listen: an authority looks at once. `after`: what may still write what we read has ended. */
  start(after?: Promise<void>): void {
    this.#isStarted = true;
    this.#work = Promise.resolve(after)
      .then(() => this.open())
      .finally(() => this.#plan(0));
  }

  async stop(): Promise<void> {
    this.#cancel();
    await this.#work;
  }

  /** Resolves when what was begun is done. */
  idle(): Promise<unknown> {
    return this.#work;
  }

  /**
   * Asks now: for what is due, or has failed; with `force` also for what is not due, and against the authority's wish. Rejects
   * with an AcmeError where it is not asked; what comes of it is in the status.
   */
  renew(name: string | undefined, force: boolean): Promise<void> {
    return this.#next(async () => {
      for (const care of this.#chosen(name)) {
        const { notBefore = 0, isAsked } = care.state;
        if (isAsked && !force && notBefore > this.#parts.clock.now())
          throw new AcmeError(
            'rate-limited',
            `${care.id}: the authority wants to be left alone until ${new Date(notBefore).toISOString()}. To ask all the same: --force.`,
          );
        await this.#tend(care, { isWish: true, force });
      }
    });
  }

  /** Makes a key that takes the place of the present one as soon as DNS is ready for it; `isUrgent`: at once. */
  rollover(name: string | undefined, isUrgent: boolean): Promise<void> {
    return this.#next(async () => {
      for (const care of this.#chosen(name ?? this.#all[0]?.id)) {
        await care.beginRollover(isUrgent);
        await this.#tend(care, { isWish: isUrgent, force: false });
      }
    });
  }

  /** Has the certificate revoked whose key a rollover has replaced at once. Rejects with an AcmeError. */
  revoke(name: string | undefined): Promise<void> {
    return this.#next(async () => {
      for (const care of this.#chosen(name ?? this.#all[0]?.id)) await care.revokeReplaced();
    });
  }

  async status(): Promise<AcmeStatus> {
    const { settings, vault, authority } = this.#parts;
    const { url: account, problem: accountProblem } = await vault.findAccount(settings.directory);
    const { clockAheadMs } = authority;
    return {
      directory: settings.directory,
      challenge: settings.challenge,
      ...(account !== undefined && { account }),
      ...(accountProblem !== undefined && { accountProblem }),
      ...(clockAheadMs !== undefined && { clockAheadMs }),
      certificates: this.#all.map((care) => care.status()),
    };
  }

  #chosen(name: string | undefined): CertificateCare[] {
    const chosen = this.#all.filter(({ wanted }) => name === undefined || wanted.names.includes(name));
    if (chosen.length > 0) return chosen;
    const known = this.#all.map(({ id }) => id).join(', ') || 'none';
    throw new AcmeError(
      'ours',
      `No certificate for ${name ?? 'any name'} comes by ACME. Known are: ${known}.`,
    );
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#work.then(work);
    // Whoever asked hears of it; what comes next is done all the same.
    this.#work = done.catch(() => undefined).finally(() => this.#plan());
    return done;
  }

  /** Waits for whatever comes first. */
  #plan(delayMs = this.#untilNext()): void {
    const { clock, signal, log } = this.#parts;
    this.#cancel();
    if (signal.aborted || !this.#isStarted) return;
    this.#cancel = clock.after(delayMs, () => {
      this.#next(() => this.#round()).catch((error) => {
        if (!signal.aborted) log.error({ err: error }, 'internal error: certificates');
      });
    });
  }

  /** What goes wrong with one keeps nobody from the others. */
  async #round(): Promise<void> {
    const { signal, log } = this.#parts;
    for (const care of this.#all) {
      try {
        await this.#tend(care, { isWish: false, force: false });
      } catch (error) {
        signal.throwIfAborted();
        const text = error instanceof Error ? error.message : String(error);
        log.error({ certificate: care.id, error: text }, 'a certificate cannot be cared for');
      }
    }
  }

  async #tend(care: CertificateCare, occasion: Occasion): Promise<void> {
    await care.tend(occasion);
    const { clockAheadMs } = this.#parts.authority;
    if (clockAheadMs === undefined || this.#toldOfClock) return;
    this.#toldOfClock = true;
    const minutes = Math.round(Math.abs(clockAheadMs) / minuteMs);
    const text = `the clock of this machine is ${minutes} minutes ${clockAheadMs > 0 ? 'ahead of' : 'behind'} the authority's: certificates may seem to be expired, or not valid yet. Have it set by NTP`;
    this.#parts.log.warn({}, text);
  }

  #untilNext(): number {
    const now = this.#parts.clock.now();
    const moments = this.#all.flatMap((care) => care.moments(now)).filter((moment) => moment > now);
    return Math.max(Math.min(now + roundMs, ...moments) - now, leastPauseMs);
  }

  #show(): void {
    const { certificates, vault } = this.#parts;
    certificates.replace(
      'acme',
      this.#all.flatMap(({ pair, id }) => (pair ? [{ pair, file: vault.fileOf(id) }] : [])),
    );
  }
}
