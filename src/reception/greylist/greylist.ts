/**
 * Greylisting (RFC 6647): who is not known is asked to come again, and who comes again is known. What is remembered is a triplet of
 * the client's network, the sender's domain and the recipient: large senders try again from another address of theirs, and
 * with another local part. Learned from success: a network from which a domain has passed often enough, or whose mail is proven to be
 * that domain's, waits no more. One table for all listeners, in memory; all of it is forgotten some time after its last use.
 */

import * as v from 'valibot';
import type { GreylistingConfig } from '../../config/receiving.ts';
import { type Address, parseAddress } from '../../mail/address.ts';
import { isTagged } from '../../mail/subaddress.ts';
import { canonicalAddress, findFamily } from '../../net/addresses.ts';
import { clientNetworks } from '../../net/client-networks.ts';
import { networkSet } from '../../net/networks.ts';
import type { GreylistFact } from '../../policy/facts.ts';
import { MemoTable } from '../../store/memo-table.ts';
import type { Store } from '../../store/store.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';

export interface GreylistParts {
  store: Pick<Store, 'listMemos' | 'writeMemos' | 'removeMemos'>;
  clock: Clock;
  log: Log;
  config: GreylistingConfig;
}

export interface Triplet {
  network: string;
  /** Of the reverse-path; of the client's own name for the null sender. */
  domain: string;
  recipient: string;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** Triplets, and pairs of network and domain, each. */
export const maxEntries = 50_000;
/** What operators let in by name. */
export const maxAllowed = 5_000;

const waitingShape = v.object({
  firstAt: v.number(),
  lastAt: v.number(),
  attempts: v.number(),
  passedAt: v.exactOptional(v.number()),
  endsAt: v.number(),
});
/** A triplet that was asked to come again. */
export type Waiting = v.InferOutput<typeof waitingShape>;

const knownShape = v.object({
  passes: v.number(),
  /** Its mail was proven to be the domain's. */
  isProven: v.exactOptional(v.boolean()),
  lastAt: v.number(),
  endsAt: v.number(),
});
/** A network from which a domain's mail has passed. */
export type Known = v.InferOutput<typeof knownShape>;

const allowedShape = v.object({ by: v.string(), at: v.number(), reason: v.exactOptional(v.string()) });
/** Let in by an operator, until they take it back. */
export type Allowed = v.InferOutput<typeof allowedShape>;

export type GreylistEntry =
  | ({ state: 'waiting' } & Triplet & Waiting)
  | ({ state: 'known'; network: string; domain: string; isFree: boolean } & Known)
  | ({ state: 'allowed'; name: string } & Allowed);

interface Tables {
  waiting: MemoTable<Waiting>;
  known: MemoTable<Known>;
  allowed: MemoTable<Allowed>;
}

export class Greylist {
  readonly #parts: GreylistParts;
  readonly #tables: Tables;
  #isAllowedAddress: ((address: string) => boolean) | undefined;

  private constructor(parts: GreylistParts, tables: Tables) {
    this.#parts = parts;
    this.#tables = tables;
  }

  static async read(parts: GreylistParts): Promise<Greylist> {
    const endOf = ({ endsAt }: { endsAt: number }) => endsAt;
    const common = { ...parts, maxEntries };
    const [waiting, known, allowed] = await Promise.all([
      MemoTable.read<Waiting>({ ...common, kind: 'greylist', shape: waitingShape, endOf }),
      MemoTable.read<Known>({ ...common, kind: 'greylist-known', shape: knownShape, endOf }),
      MemoTable.read({
        ...parts,
        ...{ kind: 'greylist-allowed', shape: allowedShape, maxEntries: maxAllowed },
        endOf: () => Number.MAX_SAFE_INTEGER,
      }),
    ]);
    return new Greylist(parts, { waiting, known, allowed });
  }

  /** What is known of them now; changes nothing. */
  find(address: string, triplet: Triplet): GreylistFact {
    const { clock, config } = this.#parts;
    const { network, domain } = triplet;
    const allowed = this.#allowedName(address, domain);
    if (allowed !== undefined) return { passed: true, why: `${allowed} is let in by an operator` };
    const known = this.#tables.known.get(pairKey(triplet));
    if (known && this.#isFree(known)) return { passed: true, why: whyFree(known, triplet) };
    const now = clock.now();
    const seen = this.#tables.waiting.get(tripletKey(triplet));
    const waitMs = config.minutes * minute;
    if (seen === undefined) {
      const why = `${network} has not sent mail of ${nameOf(domain)} to this recipient before`;
      return waitMs <= 0
        ? { passed: true, why: 'nobody has to wait' }
        : { passed: false, why, waitSeconds: seconds(waitMs) };
    }
    if (seen.passedAt !== undefined)
      return { passed: true, why: `mail of ${nameOf(domain)} from ${network} has passed before` };
    const leftMs = seen.firstAt + waitMs - now;
    return leftMs > 0
      ? {
          passed: false,
          why: `it came again too soon, after ${seconds(now - seen.firstAt)} s`,
          waitSeconds: seconds(leftMs),
        }
      : { passed: true, why: `it came again after ${seconds(now - seen.firstAt)} s` };
  }

  /** It was asked to come again. */
  refused(triplet: Triplet): void {
    const now = this.#parts.clock.now();
    const key = tripletKey(triplet);
    const { firstAt = now, attempts = 0 } = this.#tables.waiting.get(key) ?? {};
    const endsAt = firstAt + this.#parts.config.windowHours * hour;
    this.#tables.waiting.set(key, { firstAt, lastAt: now, attempts: attempts + 1, endsAt });
  }

  /** It was let into an Inbox. `isProven`: it is the domain's own, by SPF, DKIM or DMARC. */
  accepted(triplet: Triplet, isProven: boolean): void {
    const now = this.#parts.clock.now();
    const { waiting, known } = this.#tables;
    const endsAt = now + this.#parts.config.days * day;
    const seen = waiting.get(tripletKey(triplet));
    if (seen) {
      waiting.set(tripletKey(triplet), { ...seen, passedAt: seen.passedAt ?? now, lastAt: now, endsAt });
    }
    const isFirstPass = seen !== undefined && seen.passedAt === undefined;
    const before = known.get(pairKey(triplet));
    if (!isFirstPass && !isProven && before === undefined) return;
    known.set(pairKey(triplet), {
      passes: (before?.passes ?? 0) + (isFirstPass ? 1 : 0),
      ...((isProven || before?.isProven) && { isProven: true }),
      ...{ lastAt: now, endsAt },
    });
  }

  list(): GreylistEntry[] {
    const { waiting, known, allowed } = this.#tables;
    return [
      ...allowed.entries().map(([name, entry]) => ({ state: 'allowed' as const, name, ...entry })),
      ...known.entries().map(([key, entry]) => {
        const [network = '', domain = ''] = key.split(' ');
        return { state: 'known' as const, network, domain, isFree: this.#isFree(entry), ...entry };
      }),
      ...waiting.entries().map(([key, entry]) => {
        const [network = '', domain = ''] = key.split(' ');
        return { state: 'waiting' as const, network, domain, recipient: recipientIn(key), ...entry };
      }),
    ];
  }

  /** `name` is a network or a domain, as greylistName() of it reads. */
  allow(name: string, entry: Omit<Allowed, 'at'>): void {
    this.#tables.allowed.set(name, { ...entry, at: this.#parts.clock.now() });
    this.#isAllowedAddress = undefined;
  }

  /** Forgets all about a network or a domain; resolves to how many entries that were. */
  remove(name: string): number {
    const { waiting, known, allowed } = this.#tables;
    this.#isAllowedAddress = undefined;
    const isOf = (key: string) => key.split(' ', 2).includes(name);
    const removed = [waiting, known].map(
      (table) => table.entries().filter(([key]) => isOf(key) && table.delete(key)).length,
    );
    return removed.reduce((sum, count) => sum + count, allowed.delete(name) ? 1 : 0);
  }

  /** Forgets who was asked to come again with mail for an address, or for what may be a subaddress of it. */
  forgetRecipient({ localPart, domain }: Address): void {
    const { waiting } = this.#tables;
    const isOf = (recipient: Address | undefined) =>
      recipient?.domain === domain &&
      (recipient.localPart.toLowerCase() === localPart.toLowerCase() ||
        isTagged(recipient.localPart, localPart));
    for (const [key] of waiting.entries()) if (isOf(parseAddress(recipientIn(key)))) waiting.delete(key);
  }

  /** Writes what is not written yet. */
  async flush(): Promise<void> {
    await Promise.all(Object.values(this.#tables).map((table: MemoTable<never>) => table.flush()));
  }

  #isFree({ passes, isProven }: Known): boolean {
    return isProven === true || passes >= this.#parts.config.passes;
  }

  #allowedName(address: string, domain: string): string | undefined {
    const { allowed } = this.#tables;
    if (allowed.size === 0) return undefined;
    if (allowed.get(domain)) return domain;
    const names = () =>
      allowed
        .entries()
        .map(([name]) => name)
        .filter(isNetwork);
    this.#isAllowedAddress ??= networkSet(names());
    return this.#isAllowedAddress(address) ? address : undefined;
  }
}

const isNetwork = (name: string): boolean => findFamily(name.split('/', 1)[0] ?? '') !== undefined;

const tripletKey = ({ network, domain, recipient }: Triplet): string => `${network} ${domain} ${recipient}`;
const recipientIn = (key: string): string => key.split(' ').slice(2).join(' ');
const pairKey = ({ network, domain }: Triplet): string => `${network} ${domain}`;

const seconds = (ms: number): number => Math.ceil(ms / 1000);

const nameOf = (domain: string): string => (domain === '' ? 'the null sender' : domain);

const whyFree = ({ isProven, passes }: Known, { network, domain }: Triplet): string =>
  isProven
    ? `${network} has sent mail that was proven to be of ${nameOf(domain)}`
    : `mail of ${nameOf(domain)} from ${network} has passed ${passes} times`;

/** Who a client and a sender are for greylisting: networks of neighbours, and domains. */
export function tripletOf(
  { address, helo, reversePath }: { address: string; helo: string; reversePath: string },
  recipient: string,
): Triplet {
  const networks = clientNetworks(canonicalAddress(address));
  return {
    network: networks.client.includes(':') ? networks.client : networks.network,
    domain:
      reversePath === ''
        ? domainOfHost(helo)
        : reversePath.slice(reversePath.lastIndexOf('@') + 1).toLowerCase(),
    recipient: recipient.toLowerCase(),
  };
}

/** Reports come from the null sender: the next attempt may come from another host of the same domain. */
function domainOfHost(helo: string): string {
  const labels = helo.toLowerCase().replace(/\s/g, '').slice(0, 253).split('.');
  return helo.startsWith('[') || labels.length < 3 ? labels.join('.') : labels.slice(1).join('.');
}
