/**
 * The brake for accounts that somebody else has taken over: who sends to many more recipients than ever before, or to many that
 * nobody has, is not refused (their program would ask for it again, or its user would be none the wiser), but what they send from then on is kept
 * and held until an operator lets it go. Counted at acceptance, by account: addresses of clients change. Brakes are written
 * down before the first `250` for what they hold; what was sent, in batches.
 */

import type { AbuseConfig } from '../../config/receiving.ts';
import type { DossierEvent } from '../../dossier/event.ts';
import type { AccountSettings } from '../../store/account-store.ts';
import type { Memo } from '../../store/memo-store.ts';
import type { Store } from '../../store/store.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { andThen, type MaybePromise } from '../../util/maybe-promise.ts';
import { type Braked, brakedKind, brakedMemo, reasonOf } from './braked.ts';
import {
  addOutcomes,
  addSent,
  emptyVolume,
  noteEvidence,
  notePeak,
  ofLastDay,
  ofLastHour,
  peakBefore,
  type Volume,
} from './volume.ts';
import { maxKnown, Volumes } from './volumes.ts';

export interface BrakePolicy {
  enabled: boolean;
  /** Nobody with fewer recipients within an hour is braked. */
  hourlyRecipients: number;
}

export const brakePolicy = ({ hourlyRecipients }: Pick<AbuseConfig, 'hourlyRecipients'>): BrakePolicy => ({
  enabled: hourlyRecipients > 0,
  hourlyRecipients,
});

export interface BrakeParts {
  store: Pick<Store, 'listMemos' | 'findMemo' | 'writeMemos' | 'removeMemos' | 'findAccount'>;
  clock: Clock;
  log: Log;
  policy: BrakePolicy;
}

/** Times the peak of the last 30 days. */
export const peakFactor = 5;
/** Of so many outcomes at least, more than this part are addresses that nobody has. */
export const leastOutcomes = 20;
export const mostBounced = 0.2;
/** What a message that is to be sent is about. */
export interface Sending {
  /** Each once. */
  recipients: readonly string[];
  /** The address that it comes from. */
  client: string;
  /** The name of the app password that its user has logged in with, if it was one. */
  appPassword?: string;
}

export class Brake {
  readonly #parts: BrakeParts;
  readonly #braked: Map<string, Braked>;
  readonly #volumes: Volumes;
  /** 0: never braked. Absent: as the policy has it. */
  readonly #limits = new Map<string, number | undefined>();
  /** Told of an account that has just been braked. */
  onBraked: (account: string) => void = () => undefined;

  private constructor(parts: BrakeParts, braked: readonly Braked[]) {
    this.#parts = parts;
    this.#braked = new Map(braked.map((each) => [each.account, each]));
    this.#volumes = new Volumes({
      store: parts.store,
      clock: parts.clock,
      alsoOf: (account) => this.#memoOf(account),
      onFailure: (error) => this.#warn(error),
    });
  }

  static async read(parts: BrakeParts): Promise<Brake> {
    const memos = await parts.store.listMemos(brakedKind);
    return new Brake(
      parts,
      memos.map(({ value }) => value as Braked), // written by #keepBraked()
    );
  }

  /** Settings of accounts have changed, or one was erased: nothing is known of that from now on. */
  forget(removed?: string): void {
    this.#limits.clear();
    if (removed === undefined) return;
    this.#braked.delete(removed);
    this.#volumes.forget(removed);
  }

  /** Those that are braked, in order of time. */
  list(): Braked[] {
    return [...this.#braked.values()].sort((a, b) => a.at - b.at);
  }

  find(account: string): Braked | undefined {
    return this.#braked.get(account);
  }

  /**
   * Counts what is about to be accepted. Answers why it is to be held, if it is: that is on disk then. Where it is not accepted after all,
   * `giveBack` is to be called.
   */
  take(account: string, sending: Sending): MaybePromise<string | undefined> {
    const braked = this.#braked.get(account);
    if (braked) return this.#holdMore(braked, sending);
    return andThen(this.#limitOf(account), (limit) =>
      this.#isFree(limit)
        ? undefined
        : andThen(this.#volumes.of(account), (volume) => this.#count(account, volume, limit, sending)),
    );
  }

  /** Nobody asks how much it sends: it may send as much as it likes, or nothing was said of it, and nobody is braked. */
  #isFree(limit: number | undefined): boolean {
    return limit === 0 || (limit === undefined && !this.#parts.policy.enabled);
  }

  giveBack(account: string, { recipients }: Sending): void {
    const braked = this.#braked.get(account);
    const volume = this.#volumes.findKnown(account);
    if (braked) braked.held = Math.max(0, braked.held - recipients.length);
    else if (volume) addSent(volume, -recipients.length, this.#parts.clock.now());
    this.#volumes.changed(account);
  }

  /** Learns from what has become of a user's recipients, once that is on disk. */
  note(account: string | undefined, events: readonly DossierEvent[]): void {
    if (account === undefined || this.#braked.has(account)) return;
    const ended = events.filter(({ event }) => event === 'delivered' || event === 'failed').length;
    if (ended === 0) return;
    const bounced = events.filter(isBadAddress).length;
    const noted = andThen(this.#limitOf(account), (limit) =>
      this.#isFree(limit)
        ? undefined
        : andThen(this.#volumes.of(account), (volume) =>
            this.#noteOutcomes(account, volume, { ended, bounced, limit }),
          ),
    );
    if (noted instanceof Promise) noted.catch((error) => this.#warn(error));
  }

  /** Lets go of an account; with `approve`, so much is usual for it from now on. Resolves to what it was braked for. */
  async release(account: string, { approve }: { approve: boolean }): Promise<Braked | undefined> {
    const braked = this.#braked.get(account);
    const volume = await this.#volumes.of(account);
    const now = this.#parts.clock.now();
    if (braked && approve) notePeak(volume, Math.max(braked.volume.count, ofLastHour(volume, now)), now);
    volume.slots = [];
    volume.outcomes = [];
    this.#braked.delete(account);
    await this.#parts.store.removeMemos(brakedKind, [account]);
    await this.#volumes.keep(account, volume, now);
    return braked;
  }

  /** User and postmaster were told. */
  async told(account: string): Promise<void> {
    const braked = this.#braked.get(account);
    if (braked === undefined) return;
    braked.toldAt = this.#parts.clock.now();
    await this.#keepBraked(braked);
  }

  /** Writes what is not written yet. */
  stop(): Promise<void> {
    return this.#volumes.stop();
  }

  #holdMore(braked: Braked, sending: Sending): string {
    braked.held += sending.recipients.length;
    const { clients, appPasswords = [], recipients } = braked;
    const evidence = { ...emptyVolume(), clients, appPasswords, recipients: [...recipients] };
    noteEvidence(evidence, sending, this.#parts.clock.now());
    braked.clients = evidence.clients;
    if (evidence.appPasswords.length > 0) braked.appPasswords = evidence.appPasswords;
    braked.recipients = evidence.recipients;
    this.#volumes.changed(braked.account);
    return reasonOf(braked);
  }

  #count(
    account: string,
    volume: Volume,
    limit: number | undefined,
    sending: Sending,
  ): MaybePromise<string | undefined> {
    const braked = this.#braked.get(account); // meanwhile
    if (braked) return this.#holdMore(braked, sending);
    const now = this.#parts.clock.now();
    const { recipients } = sending;
    noteEvidence(volume, sending, now);
    const facts = this.#facts(volume, limit, ofLastHour(volume, now) + recipients.length);
    if (facts.count > facts.limit)
      return this.#brake(account, volume, { volume: facts, held: recipients.length });
    addSent(volume, recipients.length, now);
    this.#volumes.changed(account);
    return undefined;
  }

  #noteOutcomes(
    account: string,
    volume: Volume,
    { ended, bounced, limit }: { ended: number; bounced: number; limit: number | undefined },
  ): MaybePromise<unknown> {
    const now = this.#parts.clock.now();
    addOutcomes(volume, ended, bounced, now);
    this.#volumes.changed(account);
    const bounces = ofLastDay(volume, now);
    const isTooMany = bounces.ended >= leastOutcomes && bounces.bounced > bounces.ended * mostBounced;
    if (!isTooMany || this.#braked.has(account)) return undefined;
    const facts = this.#facts(volume, limit, ofLastHour(volume, now));
    return this.#brake(account, volume, { volume: facts, bounces, held: 0 });
  }

  #facts(volume: Volume, limit: number | undefined, count: number): Braked['volume'] {
    const peak = peakBefore(volume, this.#parts.clock.now());
    const usual = Math.max(this.#parts.policy.hourlyRecipients, peakFactor * peak);
    return { count, limit: limit ?? usual, peak };
  }

  async #brake(
    account: string,
    { clients, appPasswords = [], recipients }: Volume,
    why: Pick<Braked, 'volume' | 'bounces' | 'held'>,
  ): Promise<string> {
    const used = appPasswords.length > 0 ? { appPasswords } : {};
    const braked: Braked = { account, at: this.#parts.clock.now(), ...why, clients, ...used, recipients };
    this.#braked.set(account, braked);
    try {
      await this.#keepBraked(braked);
    } catch (error) {
      this.#braked.delete(account); // nothing is acknowledged of what it would hold
      throw error;
    }
    const reason = reasonOf(braked);
    this.#parts.log.warn(
      { event: 'braked', account, ...why, clients, ...used },
      `mail of this user is held: ${reason}`,
    );
    this.onBraked(account);
    return reason;
  }

  #limitOf(account: string): MaybePromise<number | undefined> {
    if (this.#limits.has(account)) return this.#limits.get(account);
    return this.#parts.store.findAccount(account).then((found) => {
      const { hourlyRecipients }: AccountSettings = found?.settings ?? {};
      if (this.#limits.size >= maxKnown) this.#limits.clear();
      this.#limits.set(account, hourlyRecipients);
      return hourlyRecipients;
    });
  }

  #memoOf(account: string): Memo | undefined {
    const braked = this.#braked.get(account);
    return braked && brakedMemo(braked);
  }

  #keepBraked(braked: Braked): Promise<void> {
    return this.#parts.store.writeMemos([brakedMemo(braked)]);
  }

  #warn(error: unknown): void {
    this.#parts.log.error({ err: error }, 'cannot write down what users send');
  }
}

/** RFC 3463 §3.2: bad mailbox, system or syntax of the destination. */
const badAddress = new Set(['5.1.1', '5.1.2', '5.1.3', '5.1.6', '5.1.10']);

const isBadAddress = (event: DossierEvent): boolean =>
  event.event === 'failed' && (event.data.noSuchUser === true || badAddress.has(event.data.status));
