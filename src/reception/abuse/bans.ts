/**
 * Who may not connect for a while, and why: a client, its network, or any other block that an operator names. Bans of our own
 * end by themselves, each further one of the same within a week later than the one before. Kept as memos, read once at the
 * start; the doors ask without waiting.
 */

import type { AbuseConfig } from '../../config/receiving.ts';
import { durationOf } from '../../dossier/words.ts';
import { type ClientNetworks, clientNetworks } from '../../net/client-networks.ts';
import { networkSet } from '../../net/networks.ts';
import type { Memo } from '../../store/memo-store.ts';
import type { Store } from '../../store/store.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';

export interface Ban {
  /** As clientNetworks() writes it, or in CIDR notation. */
  network: string;
  at: number;
  /** Absent: until it is lifted. */
  until?: number;
  /** How often it was banned, within a week each time. */
  times: number;
  reason: string;
  /** An operator's order. */
  by?: string;
  /** Connections that were refused since; of this run only. */
  refused?: number;
}

export interface BanPolicy {
  /** The first one; each further one is twice as long. */
  firstMs: number;
  mostMs: number;
}

export const banPolicy = ({
  banMinutes,
  banMaxHours,
}: Pick<AbuseConfig, 'banMinutes' | 'banMaxHours'>): BanPolicy => ({
  firstMs: banMinutes * 60_000,
  mostMs: banMaxHours * hour,
});

export interface BansParts {
  store: Pick<Store, 'listMemos' | 'writeMemos' | 'removeMemos'>;
  clock: Clock;
  log: Log;
  policy: BanPolicy;
}

const hour = 3600_000;

/** A ban is remembered so long after its end: who comes back sooner is banned for longer. */
export const rememberMs = 7 * 24 * hour;
/** Bans that are in force or remembered. The ones in force never make room: else one could be got rid of by being banned often. */
export const maxBans = 20_000;
/** What is new is written after so long, all in one transaction. */
export const writeDelayMs = 1000;

export const banKind = 'ban';

export class Bans {
  readonly #parts: BansParts;
  readonly #bans: Map<string, Ban>;
  /** Of the blocks that are no client's and no network's. */
  readonly #blocks = new Map<string, (address: string) => boolean>();
  /** Where all are in force, the moment at which the first of them ends: before it, no room is looked for. */
  #fullUntil = 0;
  readonly #changed = new Set<string>();
  #cancelWrite: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(parts: BansParts, known: readonly Ban[]) {
    this.#parts = parts;
    this.#bans = new Map(known.map((ban) => [ban.network, ban]));
    for (const { network } of known) this.#noteBlock(network);
  }

  static async read(parts: BansParts): Promise<Bans> {
    const memos = await parts.store.listMemos(banKind);
    return new Bans(
      parts,
      memos.map(({ value }) => value as Ban), // written by memoOf()
    );
  }

  /** The ban in force of an address: of the client, its network, or a block that it lies in. */
  find(address: string, networks?: ClientNetworks): Ban | undefined {
    if (this.#bans.size === 0) return undefined;
    const { client, network } = networks ?? clientNetworks(address);
    return this.#inForce(client) ?? this.#inForce(network) ?? this.#blockOf(address);
  }

  /** All that are in force, those that end last at the end. */
  list(): Ban[] {
    const end = ({ until = Number.POSITIVE_INFINITY }: Ban) => until;
    return [...this.#bans.keys()]
      .flatMap((network) => this.#inForce(network) ?? [])
      .sort((a, b) => (end(a) < end(b) ? -1 : end(a) > end(b) ? 1 : 0));
  }

  /** Undefined where there is no room for more. Written down soon; an operator's word stays. */
  ban(network: string, reason: string): Ban | undefined {
    const { clock, log, policy } = this.#parts;
    const now = clock.now();
    const known = this.#bans.get(network);
    if (known && this.#inForce(network)) return known;
    if (known === undefined && !this.#makeRoom(now)) {
      log.warn({ network, reason }, `not banned: there are ${maxBans} bans already`);
      return undefined;
    }
    const isRemembered = known && (known.until ?? 0) + rememberMs > now;
    const times = (isRemembered ? known.times : 0) + 1;
    const ban: Ban = { network, at: now, times, reason, until: now + lengthOf(policy, times) };
    this.#set(ban);
    this.#planWrite(network);
    log.warn(
      { event: 'banned', network, reason, times, until: new Date(ban.until ?? 0).toISOString() },
      'banned',
    );
    return ban;
  }

  /** An operator's word; resolves when it is on disk. */
  async add(order: { network: string; by: string; until?: number; reason?: string }): Promise<Ban> {
    const { network, by, until, reason = 'by order' } = order;
    const times = (this.#bans.get(network)?.times ?? 0) + 1;
    const at = this.#parts.clock.now();
    const ban: Ban = { network, at, times, reason, by, ...(until !== undefined && { until }) };
    this.#set(ban);
    await this.#parts.store.writeMemos([memoOf(ban)]);
    this.#parts.log.warn({ event: 'banned', ...ban }, 'banned');
    return ban;
  }

  /** Forgets it, and that there were some before; resolves to whether one was in force. */
  async lift(network: string, by: string): Promise<boolean> {
    const ban = this.#inForce(network);
    this.#forget(network);
    this.#fullUntil = 0;
    await this.#writing; // or it would be written after it is removed
    await this.#parts.store.removeMemos(banKind, [network]);
    if (ban) this.#parts.log.warn({ event: 'lifted', network, by }, 'ban lifted');
    return ban !== undefined;
  }

  /** Writes what is not written yet. */
  async stop(): Promise<void> {
    this.#cancelWrite?.();
    await this.#write();
  }

  #inForce(network: string): Ban | undefined {
    const ban = this.#bans.get(network);
    return ban && (ban.until === undefined || ban.until > this.#parts.clock.now()) ? ban : undefined;
  }

  #blockOf(address: string): Ban | undefined {
    for (const [network, contains] of this.#blocks) {
      const ban = contains(address) ? this.#inForce(network) : undefined;
      if (ban) return ban;
    }
    return undefined;
  }

  #set(ban: Ban): void {
    this.#bans.delete(ban.network);
    this.#bans.set(ban.network, ban);
    this.#noteBlock(ban.network);
  }

  /** A client or a network is found by its name. */
  #noteBlock(network: string): void {
    const names = Object.values(clientNetworks(network.split('/')[0] ?? ''));
    if (!names.includes(network)) this.#blocks.set(network, networkSet([network]));
  }

  /** The bans that are over, and only remembered, go first. */
  #makeRoom(now: number): boolean {
    if (this.#bans.size < maxBans) return true;
    if (now < this.#fullUntil) return false;
    this.#fullUntil = Number.POSITIVE_INFINITY;
    for (const [network, { until = Number.POSITIVE_INFINITY }] of this.#bans) {
      if (until > now) this.#fullUntil = Math.min(this.#fullUntil, until);
      else this.#forget(network);
    }
    return this.#bans.size < maxBans;
  }

  #forget(network: string): void {
    this.#bans.delete(network);
    this.#blocks.delete(network);
    this.#changed.delete(network);
  }

  #planWrite(network: string): void {
    this.#changed.add(network);
    this.#cancelWrite ??= this.#parts.clock.after(writeDelayMs, () => {
      this.#writing = this.#write();
    });
  }

  async #write(): Promise<void> {
    this.#cancelWrite = undefined;
    const memos = [...this.#changed].flatMap((network) => {
      const ban = this.#bans.get(network);
      return ban ? [memoOf(ban)] : [];
    });
    this.#changed.clear();
    if (memos.length === 0) return;
    try {
      await this.#parts.store.writeMemos(memos);
    } catch (error) {
      // They are in force as long as this process runs.
      this.#parts.log.error({ err: error }, 'cannot write bans');
    }
  }
}

const lengthOf = ({ firstMs, mostMs }: BanPolicy, times: number): number =>
  Math.min(firstMs * 2 ** (times - 1), mostMs);

function memoOf({ refused: _, ...ban }: Ban): Memo {
  const { network: key, until } = ban;
  return { kind: banKind, key, value: ban, ...(until !== undefined && { expiresAt: until + rememberMs }) };
}

/** What a client is told that is banned. */
export function banWords({ network, until, reason }: Ban, now: number): string {
  const end = until === undefined ? 'until that is lifted' : `for another ${durationOf(until - now)}`;
  return `${network} may not connect ${end}: ${reason}; ask the postmaster if that is wrong`;
}
