/**
 * What has come from whom, learned from our own outcomes: counts for each network of clients and for each domain that was proven to be the
 * sender, halved every two weeks; and who knows whom. In memory, bounded, written in batches; what is not seen any
 * more is forgotten. Nothing of it ever leaves this machine.
 */

import * as v from 'valibot';
import type { AcquaintanceFact, HistoryFact } from '../../policy/facts.ts';
import { domainOf } from '../../policy/proven.ts';
import { MemoTable } from '../../store/memo-table.ts';
import type { Store } from '../../store/store.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';

export interface HistoryParts {
  store: Pick<Store, 'listMemos' | 'writeMemos' | 'removeMemos'>;
  clock: Clock;
  log: Log;
}

const hour = 3600_000;
const day = 24 * hour;

/** Networks, and domains, each. */
export const maxSenders = 20_000;
/** Pairs of a recipient and a sender. */
export const maxAcquaintances = 50_000;
/** Of one letter. */
const maxWrittenTo = 100;
/** Counts are halved in this time. */
export const halfLifeMs = 14 * day;
const countsLifeMs = 90 * day;
const acquaintanceLifeMs = 365 * day;
/** An acquaintance is written anew at most so often. */
const refreshMs = day;

const countsShape = v.object({
  ...{ accepted: v.number(), junk: v.number(), refused: v.number(), unknown: v.number() },
  firstAt: v.number(),
  lastAt: v.number(),
  /** How much came in the hour of the last one, and in the one before. */
  ...{ thisHour: v.number(), hourBefore: v.number() },
});
type Counts = v.InferOutput<typeof countsShape>;

export type Outcome = 'accepted' | 'junk' | 'refused' | 'unknown';

export type SenderKind = 'network' | 'domain';

export interface SenderEntry extends HistoryFact {
  kind: SenderKind;
  lastAt: number;
}

export interface Acquaintance {
  recipient: string;
  /** An address, or a domain behind an `@`. */
  sender: string;
  lastAt: number;
}

interface Tables {
  network: MemoTable<Counts>;
  domain: MemoTable<Counts>;
  acquaintances: MemoTable<{ lastAt: number }>;
}

export class SenderHistory {
  readonly #parts: HistoryParts;
  readonly #tables: Tables;

  private constructor(parts: HistoryParts, tables: Tables) {
    this.#parts = parts;
    this.#tables = tables;
  }

  static async read(parts: HistoryParts): Promise<SenderHistory> {
    const counts = { ...parts, shape: countsShape, maxEntries: maxSenders };
    const endOf = ({ lastAt }: Counts) => lastAt + countsLifeMs;
    const [network, domain, acquaintances] = await Promise.all([
      MemoTable.read<Counts>({ ...counts, kind: 'sender-network', endOf }),
      MemoTable.read<Counts>({ ...counts, kind: 'sender-domain', endOf }),
      MemoTable.read<{ lastAt: number }>({
        ...parts,
        ...{ kind: 'acquaintance', shape: v.object({ lastAt: v.number() }), maxEntries: maxAcquaintances },
        endOf: ({ lastAt }) => lastAt + acquaintanceLifeMs,
      }),
    ]);
    return new SenderHistory(parts, { network, domain, acquaintances });
  }

  of(kind: SenderKind, name: string): HistoryFact {
    const counts = name === '' ? undefined : this.#tables[kind].get(name);
    if (counts === undefined) return { name, ...nothing };
    return this.#fact(name, counts);
  }

  note(kind: SenderKind, name: string, outcome: Outcome): void {
    if (name === '') return;
    const now = this.#parts.clock.now();
    const before = this.#tables[kind].get(name);
    const counts = before ? faded(before, now) : { ...none, firstAt: now };
    this.#tables[kind].set(name, {
      ...counts,
      [outcome]: counts[outcome] + 1,
      thisHour: counts.thisHour + 1,
      lastAt: now,
    });
  }

  /** The recipient has had mail of that address, or has written to it. */
  acquaint(recipient: string, address: string): void {
    const now = this.#parts.clock.now();
    const { acquaintances } = this.#tables;
    for (const key of keysOf(recipient, address)) {
      const known = acquaintances.get(key);
      if (known === undefined || known.lastAt + refreshMs < now) acquaintances.set(key, { lastAt: now });
    }
  }

  /** Whom somebody writes to, they know. A letter to very many makes no acquaintances of all. */
  wroteTo(account: string, recipients: readonly string[]): void {
    for (const recipient of recipients.slice(0, maxWrittenTo)) this.acquaint(account, recipient);
  }

  acquaintance(recipient: string, address: string | undefined): AcquaintanceFact {
    if (address === undefined)
      return { address: false, domain: false, server: false, why: 'nothing proves whom it is from' };
    const [byAddress, byDomain] = keysOf(recipient, address).map(
      (key) => this.#tables.acquaintances.get(key) !== undefined,
    );
    const domain = domainOf(address);
    const server = byDomain === true || this.of('domain', domain).accepted > 0;
    const why = byAddress
      ? `the recipient knows ${address}`
      : byDomain
        ? `the recipient knows others of ${domain}, and not ${address}`
        : `the recipient has had no mail of ${domain} before${server ? ', but others here have' : ''}`;
    return { address: byAddress === true, domain: byDomain === true, server, why };
  }

  /** The ones used last first. */
  list(): SenderEntry[] {
    const entries = (['network', 'domain'] as const).flatMap((kind) =>
      this.#tables[kind]
        .entries()
        .map(([name, counts]) => ({ kind, lastAt: counts.lastAt, ...this.#fact(name, counts) })),
    );
    return entries.sort((one, other) => other.lastAt - one.lastAt);
  }

  /** Whom a recipient knows, or who knows a sender. */
  acquaintancesOf(name: string): Acquaintance[] {
    return this.#tables.acquaintances.entries().flatMap(([key, { lastAt }]) => {
      const [recipient = '', sender = ''] = key.split('\t');
      return recipient === name || sender === name || sender === `@${name}`
        ? [{ recipient, sender, lastAt }]
        : [];
    });
  }

  /** Forgets all about a network, a domain or an address; resolves to how many entries that were. */
  forget(name: string): number {
    const { network, domain, acquaintances } = this.#tables;
    const counts = [network, domain].filter((table) => table.delete(name)).length;
    const pairs = this.acquaintancesOf(name);
    for (const { recipient, sender } of pairs) acquaintances.delete(`${recipient}\t${sender}`);
    return counts + pairs.length;
  }

  /** Writes what is not written yet. */
  async flush(): Promise<void> {
    const { network, domain, acquaintances } = this.#tables;
    await Promise.all([network.flush(), domain.flush(), acquaintances.flush()]);
  }

  #fact(name: string, counts: Counts): HistoryFact {
    const now = this.#parts.clock.now();
    const { accepted, junk, refused, unknown, firstAt, thisHour, hourBefore } = faded(counts, now);
    // Of the hour before, as much counts as lies within the last sixty minutes.
    const lastHour = thisHour + hourBefore * (1 - (now % hour) / hour);
    const [a, j, r, u, l] = [accepted, junk, refused, unknown, lastHour].map(rounded);
    return {
      name,
      accepted: a ?? 0,
      junk: j ?? 0,
      refused: r ?? 0,
      unknown: u ?? 0,
      lastHour: l ?? 0,
      firstAt,
    };
  }
}

const nothing = { accepted: 0, junk: 0, refused: 0, unknown: 0, lastHour: 0 };
const none = { accepted: 0, junk: 0, refused: 0, unknown: 0, thisHour: 0, hourBefore: 0 };

const rounded = (count: number): number => Math.round(count * 100) / 100;

/** As they count now. */
function faded(counts: Counts, now: number): Counts {
  const factor = 0.5 ** (Math.max(0, now - counts.lastAt) / halfLifeMs);
  const hours = Math.floor(now / hour) - Math.floor(counts.lastAt / hour);
  const { accepted, junk, refused, unknown, thisHour, hourBefore } = counts;
  return {
    ...counts,
    accepted: accepted * factor,
    junk: junk * factor,
    refused: refused * factor,
    unknown: unknown * factor,
    thisHour: hours <= 0 ? thisHour : 0,
    hourBefore: hours <= 0 ? hourBefore : hours === 1 ? thisHour : 0,
  };
}

/** By address and by domain. */
const keysOf = (recipient: string, address: string): string[] => [
  `${recipient.toLowerCase()}\t${address.toLowerCase()}`,
  `${recipient.toLowerCase()}\t@${domainOf(address)}`,
];
