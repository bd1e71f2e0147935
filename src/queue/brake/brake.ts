/**
 * The brake for accounts that somebody else has taken over: who sends to many more recipients than ever before, or to many that
 * nobody has, is not refused (their program would ask for it again, or its user would be none the wiser), but what they send from then on is kept
 * and held until an operator lets it go. Counted at acceptance, by account: addresses of clients change. Brakes are written
 * down before the first `250` for what they hold; what was sent, in batches.
 */

import type { AbuseConfig } from '../../config/config.ts';
import type { DossierEvent } from '../../dossier/event.ts';
import type { AccountSettings } from '../../store/account-store.ts';
import type { Memo } from '../../store/memo-store.ts';
import type { Store } from '../../store/store.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { andThen, type MaybePromise } from '../../util/maybe-promise.ts';
import {
  addOutcomes,
  addSent,
  emptyVolume,
  noteEvidence,
  notePeak,
  ofLastDay,
  ofLastHour,
  peakBefore,
  peakDays,
  type Volume,
} from './volume.ts';

/** What led to it. Survives JSON. */
export interface Braked {
  account: string;
  at: number;
  /** Recipients within an hour, what is allowed, and the most within an hour of the 30 days before. */
  volume: { count: number; limit: number; peak: number };
  /** Of a day's outcomes; given where these were the reason. */
  bounces?: { ended: number; bounced: number };
  clients: Volume['clients'];
  /** Where some of it came by app passwords: which, how many recipients, when last. */
  appPasswords?: Volume['clients'];
  recipients: readonly string[];
  /** Recipients that were held since. */
  held: number;
  /** When user and postmaster were told last. */
  toldAt?: number;
}

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
/** What was sent is written after this long, that of all users in one transaction. */
export const writeDelayMs = 10_000;
/** Users of whom it is in memory what they sent; of others it is read again. */
const maxKnown = 10_000;
const day = 24 * 3600_000;

export const volumeKind = 'sending';
const brakedKind = 'braked';

/** By whom its jobs are held. */
export const brakeName = 'the account brake';

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
  /** By account, the one used last at the end. */
  readonly #volumes = new Map<string, Volume>();
  /** 0: never braked. Absent: as the policy has it. */
  readonly #limits = new Map<string, number | undefined>();
  readonly #changed = new Set<string>();
  #cancelWrite: (() => void) | undefined;
  /** Told of an account that has just been braked. */
  onBraked: (account: string) => void = () => undefined;

  private constructor(parts: BrakeParts, braked: readonly Braked[]) {
    this.#parts = parts;
    this.#braked = new Map(braked.map((each) => [each.account, each]));
  }

  static async read(parts: BrakeParts): Promise<Brake> {
    const memos = await parts.store.listMemos(brakedKind);
    return new Brake(
      parts,
      memos.map(({ value }) => value as Braked), // written by #keepBraked()
    );
  }

  /** Settings of accounts have changed, or one was removed: whether it is braked is all that is known of that from now on. */
  forget(removed?: string): void {
    this.#limits.clear();
    if (removed === undefined) return;
    this.#volumes.delete(removed);
    this.#changed.delete(removed);
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
        : andThen(this.#volumeOf(account), (volume) => this.#count(account, volume, limit, sending)),
    );
  }

  /** Nobody asks how much it sends: it may send as much as it likes, or nothing was said of it, and nobody is braked. */
  #isFree(limit: number | undefined): boolean {
    return limit === 0 || (limit === undefined && !this.#parts.policy.enabled);
  }

  giveBack(account: string, { recipients }: Sending): void {
    const braked = this.#braked.get(account);
    const volume = this.#volumes.get(account);
    if (braked) braked.held = Math.max(0, braked.held - recipients.length);
    else if (volume) addSent(volume, -recipients.length, this.#parts.clock.now());
    this.#planWrite(account);
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
        : andThen(this.#volumeOf(account), (volume) =>
            this.#noteOutcomes(account, volume, { ended, bounced, limit }),
          ),
    );
    if (noted instanceof Promise) noted.catch((error) => this.#warn(error));
  }

  /** Lets go of an account; with `approve`, so much is usual for it from now on. Resolves to what it was braked for. */
  async release(account: string, { approve }: { approve: boolean }): Promise<Braked | undefined> {
    const braked = this.#braked.get(account);
    const volume = await this.#volumeOf(account);
    const now = this.#parts.clock.now();
    if (braked && approve) notePeak(volume, Math.max(braked.volume.count, ofLastHour(volume, now)), now);
    volume.slots = [];
    volume.outcomes = [];
    this.#braked.delete(account);
    await this.#parts.store.removeMemos(brakedKind, [account]);
    await this.#parts.store.writeMemos([memoOf(account, volume, now)]);
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
  async stop(): Promise<void> {
    this.#cancelWrite?.();
    await this.#write();
  }

  #holdMore(braked: Braked, sending: Sending): string {
    braked.held += sending.recipients.length;
    const { clients, appPasswords = [], recipients } = braked;
    const evidence = { ...emptyVolume(), clients, appPasswords, recipients: [...recipients] };
    noteEvidence(evidence, sending, this.#parts.clock.now());
    braked.clients = evidence.clients;
    if (evidence.appPasswords.length > 0) braked.appPasswords = evidence.appPasswords;
    braked.recipients = evidence.recipients;
    this.#planWrite(braked.account);
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
    this.#planWrite(account);
    return undefined;
  }

  #noteOutcomes(
    account: string,
    volume: Volume,
    { ended, bounced, limit }: { ended: number; bounced: number; limit: number | undefined },
  ): MaybePromise<unknown> {
    const now = this.#parts.clock.now();
    addOutcomes(volume, ended, bounced, now);
    this.#planWrite(account);
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

  #volumeOf(account: string): MaybePromise<Volume> {
    const known = this.#volumes.get(account);
    if (known) return known;
    return this.#parts.store.findMemo(volumeKind, account).then((memo) => {
      // Whoever asked at the same moment may have been answered before.
      const volume = this.#volumes.get(account) ?? (memo?.value as Volume | undefined) ?? emptyVolume(); // by memoOf()
      this.#volumes.set(account, volume);
      return volume;
    });
  }

  #planWrite(account: string): void {
    this.#changed.add(account);
    this.#cancelWrite ??= this.#parts.clock.after(writeDelayMs, () => void this.#write());
  }

  async #write(): Promise<void> {
    this.#cancelWrite = undefined;
    const now = this.#parts.clock.now();
    const accounts = [...this.#changed];
    this.#changed.clear();
    const memos = accounts.flatMap((account): Memo[] => {
      const braked = this.#braked.get(account);
      const volume = this.#volumes.get(account);
      return [...(braked ? [brakedMemo(braked)] : []), ...(volume ? [memoOf(account, volume, now)] : [])];
    });
    try {
      if (memos.length > 0) await this.#parts.store.writeMemos(memos);
    } catch (error) {
      for (const account of accounts) this.#changed.add(account); // with what comes next
      this.#warn(error);
    }
    this.#forgetSome();
  }

  /** What is written can be read again. */
  #forgetSome(): void {
    for (const account of this.#volumes.keys()) {
      if (this.#volumes.size <= maxKnown) return;
      if (!this.#changed.has(account)) this.#volumes.delete(account);
    }
  }

  #keepBraked(braked: Braked): Promise<void> {
    return this.#parts.store.writeMemos([brakedMemo(braked)]);
  }

  #warn(error: unknown): void {
    this.#parts.log.error({ err: error }, 'cannot write down what users send');
  }
}

const brakedMemo = (braked: Braked): Memo => ({ kind: brakedKind, key: braked.account, value: braked });

const memoOf = (account: string, volume: Volume, now: number): Memo => ({
  kind: volumeKind,
  key: account,
  value: volume,
  expiresAt: now + (peakDays + 1) * day,
});

/** RFC 3463 §3.2: bad mailbox, system or syntax of the destination. */
const badAddress = new Set(['5.1.1', '5.1.2', '5.1.3', '5.1.6', '5.1.10']);

const isBadAddress = (event: DossierEvent): boolean =>
  event.event === 'failed' && (event.data.noSuchUser === true || badAddress.has(event.data.status));

/** One line. */
export function reasonOf({ account, volume: { count, limit, peak }, bounces }: Braked): string {
  const why =
    bounces === undefined
      ? `${count} recipients within an hour, more than ${limit} (the most in an hour of the 30 days before was ${peak})`
      : `of ${bounces.ended} recipients within a day, ${bounces.bounced} are addresses that nobody has`;
  return `${why}; if that is right: posthorn account release ${account}`;
}
