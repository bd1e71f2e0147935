/** Whom an address leads to in the end: over aliases, tags, domain aliases and what accounts have passed on. */

import type { AccountSettings } from '../store/account-store.ts';
import { findPlace, type Place, type PlaceParts } from './readings.ts';
import type { ListMark, Recipient } from './recipient.ts';

/** An address may lead to an address, so many times; and reach so many recipients. Beyond that nobody is told `250`. */
export const maxDepth = 10;
export const maxRecipients = 10_000;

export interface Way {
  /** What the sender wrote, as `addressKey()` writes it. */
  original: string;
  /** Where to begin: the same, or who stands in. */
  start: string;
  /** Why somebody stands in. */
  rule?: string;
  /** Mail to a role reaches its person, whatever is switched off. */
  evenClosed?: boolean;
}

export interface Followed {
  recipients: Map<string, Recipient>;
  /** Somebody is there who takes no mail. */
  isClosed: boolean;
  /** It leads further than anybody follows: the recipients are not all. In words. */
  readonly cut: string | undefined;
}

/** How one got to an address. */
interface Path {
  depth: number;
  rules: readonly string[];
  forwardedBy?: string;
  copyKept?: true;
  list?: ListMark;
}

export async function follow(parts: PlaceParts, way: Way): Promise<Followed> {
  const walk = new Walk(parts, way);
  await walk.visit(way.start, { depth: 0, rules: [] });
  return walk;
}

/** The accounts behind an address, be it that they take mail or not; of a mailing list, who owns it. */
export async function peopleOf(parts: PlaceParts, start: string): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const seen = new Set<string>();
  const visit = async (key: string, depth: number): Promise<void> => {
    if (seen.has(key) || depth > maxDepth || found.size >= maxRecipients) return;
    seen.add(key);
    const place = await findPlace(parts, key);
    if (place?.kind === 'account') found.add(place.key);
    if (place?.kind === 'alias')
      for (const target of place.alias.list ? [place.alias.list.owner] : place.alias.targets)
        await visit(target, depth + 1);
  };
  await visit(start, 0);
  return found;
}

class Walk implements Followed {
  readonly recipients = new Map<string, Recipient>();
  isClosed = false;
  #isFull = false;
  /** Where nobody went, unless there is a shorter way. */
  readonly #tooDeep = new Set<string>();
  readonly #parts: PlaceParts;
  readonly #way: Way;
  /** Whether somebody was reached by that address; false as long as that is not known, so that circles end. */
  readonly #seen = new Map<string, boolean>();

  constructor(parts: PlaceParts, way: Way) {
    this.#parts = parts;
    this.#way = way;
  }

  get cut(): string | undefined {
    if (this.#isFull) return `leads to more than ${maxRecipients} recipients`;
    return this.#tooDeep.size === 0
      ? undefined
      : `leads over more than ${maxDepth} addresses, one after the other`;
  }

  /** Resolves to whether it leads to anybody. */
  async visit(key: string, path: Path): Promise<boolean> {
    const known = this.#seen.get(key);
    if (known !== undefined) return known;
    if (path.depth > maxDepth) {
      this.#tooDeep.add(key);
      return false;
    }
    this.#tooDeep.delete(key);
    this.#seen.set(key, false);
    const place = await findPlace(this.#parts, key);
    const isReached = place !== undefined && (await this.#enter(key, place, path));
    this.#seen.set(key, isReached);
    return isReached;
  }

  async #enter(key: string, place: Place, path: Path): Promise<boolean> {
    if (place.kind === 'remote') return this.#add(place.address, path, { ...place });
    if (place.key !== key) {
      const rules = [...path.rules, ...place.rules];
      return this.visit(place.key, { ...path, depth: path.depth + 1, rules });
    }
    if (place.kind === 'account') return this.#enterAccount(key, place.account.settings ?? {}, path);
    const { targets, list } = place.alias;
    const rules = [...path.rules, list ? 'mailing list' : 'alias'];
    return this.#visitAll(targets, { ...path, rules, ...(list && { list: { address: key, ...list } }) });
  }

  async #enterAccount(
    address: string,
    { receive, suspended, forward, quotaBytes = this.#quotaOfDomain(address) }: AccountSettings,
    path: Path,
  ): Promise<boolean> {
    if ((receive === false || suspended?.refusesMail) && !this.#way.evenClosed) {
      this.isClosed = true;
      return false;
    }
    const isPassedOn =
      forward !== undefined &&
      (await this.#visitAll(forward.to, {
        ...path,
        forwardedBy: path.forwardedBy ?? address,
        ...(forward.keep && { copyKept: true }),
        rules: [...path.rules, 'forward'],
      }));
    // What would go nowhere, or only in a circle, stays.
    if (isPassedOn && !forward.keep) return true;
    // A role has to be reached, however full its mailbox is.
    const limit = this.#way.evenClosed ? undefined : quotaBytes;
    const recipient: Recipient = { kind: 'local', address, destination: '' };
    return this.#add(address, path, limit === undefined ? recipient : { ...recipient, quotaBytes: limit });
  }

  #quotaOfDomain(address: string): number | undefined {
    return this.#parts.domains.get(address.slice(address.lastIndexOf('@') + 1))?.quotaBytes;
  }

  async #visitAll(targets: readonly string[], path: Path): Promise<boolean> {
    let isReached = false;
    for (const target of targets)
      isReached = (await this.visit(target, { ...path, depth: path.depth + 1 })) || isReached;
    return isReached;
  }

  #add(key: string, { rules, forwardedBy, copyKept, list }: Path, recipient: Recipient): boolean {
    if (this.recipients.has(key)) return true;
    if (this.recipients.size >= maxRecipients) {
      this.#isFull = true;
      return false;
    }
    const { original, rule = [...new Set(rules)].join(', ') } = this.#way;
    const redirected = key === original ? undefined : { from: original, rule };
    this.recipients.set(key, {
      ...recipient,
      ...(redirected && { redirected }),
      ...(forwardedBy !== undefined && { forwardedBy, junkTo: forwardedBy }),
      ...(copyKept && { copyKept }),
      ...(list && { list }),
    });
    return true;
  }
}
