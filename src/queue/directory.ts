/**
 * Who is a recipient here, and who may send as whom: domains, accounts, aliases and the addresses that every domain
 * owes the world (postmaster@ and abuse@: RFC 5321 §4.5.1, RFC 2142). Asks the store once and remembers the answer.
 */

import { type Address, addressKey, formatAddress, parseAddress } from '../mail/address.ts';
import { isRewritten } from '../mail/srs.ts';
import type { Store } from '../store/store.ts';
import { andThen, type MaybePromise } from '../util/maybe-promise.ts';
import { follow, peopleOf, type Way } from './following.ts';
import { type LocalDomain, type PlaceParts, readingsOf } from './readings.ts';
import type { ListMark, Recipient } from './recipient.ts';
import type { ReturnPaths } from './return-paths.ts';

export type { Recipient };

export type Resolution =
  | { status: 'found'; recipients: readonly Recipient[] }
  /** Not one of our domains. */
  | { status: 'elsewhere'; recipient: Recipient }
  /** One of our domains, but nobody there has this address; or, if it is closed, whoever has it takes no mail. */
  | { status: 'unknown'; isClosed?: true }
  /** Somebody has to mend it: it leads to more than anybody follows. `why` in words. */
  | { status: 'endless'; why: string };

export interface DirectoryParts {
  /** Without `findRemovedAccount`, nobody was ever removed. */
  store: Pick<Store, 'findAccount' | 'findAlias' | 'firstAccount' | 'listAliases'> &
    Partial<Pick<Store, 'findRemovedAccount'>>;
  domains: readonly LocalDomain[];
  /** Absent: nothing went on from here under an address of ours, and no bounce of that comes back. */
  returnPaths?: Pick<ReturnPaths, 'reverse'>;
}

/** Answers remembered before all are forgotten. */
const maxRemembered = 10_000;

/** What every domain owes the world. */
const isRole = (localPart: string): boolean => ['postmaster', 'abuse'].includes(localPart.toLowerCase());

export class Directory {
  readonly #parts: DirectoryParts;
  #domains: readonly LocalDomain[];
  #places: PlaceParts;
  readonly #resolved = new Map<string, MaybePromise<Resolution>>();
  #identities: Promise<Map<string, string[]>> | undefined;

  constructor(parts: DirectoryParts) {
    this.#parts = parts;
    this.#domains = parts.domains;
    this.#places = placesOf(parts);
  }

  /** From now on these are the domains. */
  serve(domains: readonly LocalDomain[]): void {
    this.#domains = domains;
    this.#places = placesOf({ ...this.#parts, domains });
    this.forget();
  }

  /** `domain` in A-labels. */
  isLocal(domain: string): boolean {
    return this.#places.domains.has(domain);
  }

  /** The domain that stands for this server: the first one configured. */
  get firstDomain(): string | undefined {
    return this.#domains[0]?.name;
  }

  /** Accounts or aliases have changed. */
  forget(): void {
    this.#resolved.clear();
    this.#identities = undefined;
  }

  /** Who gets mail for `address`. A domain of '' is the bare `<postmaster>` of RFC 5321 §4.1.1.3. */
  resolve(address: Address, spelled: string): MaybePromise<Resolution> {
    const domain = address.domain === '' ? this.firstDomain : address.domain;
    if (domain === undefined || !this.isLocal(domain)) return elsewhere(spelled, address.domain);
    const local = { ...address, domain };
    if (isRewritten(local.localPart) && this.#parts.returnPaths) return this.#resolveReturn(local);
    const key = addressKey(local);
    const found = this.#resolved.get(key) ?? this.#remember(key, this.#find(key, local));
    return andThen(found, (resolution) => asWritten(resolution, key, local));
  }

  /** A bounce to a sender whose mail we have passed on. Of what is wrong with others nothing is told: nobody is there. */
  #resolveReturn(address: Address): MaybePromise<Resolution> {
    const reversal = this.#parts.returnPaths?.reverse(address);
    if (reversal?.kind !== 'valid') return { status: 'unknown' };
    const { sender } = reversal;
    const redirected = { from: formatAddress(address), rule: 'the sender of mail that went on from here' };
    return andThen(this.resolve(sender, formatAddress(sender)), (resolution): Resolution => {
      if (resolution.status === 'unknown' || resolution.status === 'endless') return resolution;
      const found = resolution.status === 'found' ? resolution.recipients : [resolution.recipient];
      return { status: 'found', recipients: found.map((each) => ({ ...each, redirected, isReturn: true })) };
    });
  }

  /**
   * Whether the account may send as that address: it is its own, or an alias that leads to it, however that is read. What
   * somebody else has is theirs, even where it looks like a tag; and a catch-all is nobody's name.
   */
  async maySendAs(account: string, address: Address): Promise<boolean> {
    for (const { key } of readingsOf(address, this.#places.domains)) {
      if (await this.#parts.store.findAlias(key))
        return (await this.#aliasesByAccount()).get(account)?.includes(key) ?? false;
      if (await this.#parts.store.findAccount(key)) return key === account;
    }
    return false;
  }

  /** Whether that sender may write to a mailing list, if it is who it says. */
  async mayPost({ address, owner, post }: ListMark, sender: Address): Promise<boolean> {
    if (post === 'anybody') return true;
    if (post === 'domain') return this.isLocal(sender.domain);
    const { recipients } = await follow(this.#places, {
      original: address,
      start: address,
      evenClosed: true,
    });
    if (recipients.has(formatAddress(sender)) || recipients.has(addressKey(sender))) return true;
    const members = [...recipients.values()].flatMap(({ kind, address: member, forwardedBy }) =>
      kind === 'local' || forwardedBy !== undefined ? [forwardedBy ?? member] : [],
    );
    for (const account of [...(await peopleOf(this.#places, owner)), ...members])
      if (await this.maySendAs(account, sender)) return true;
    return false;
  }

  /** Its user may submit nothing. */
  async isBarredFromSending(account: string): Promise<boolean> {
    const { send, suspended } = (await this.#parts.store.findAccount(account))?.settings ?? {};
    return send === false || suspended !== undefined;
  }

  #aliasesByAccount(): Promise<Map<string, string[]>> {
    const asked = this.#identities ?? this.#invertAliases();
    this.#identities = asked;
    asked.catch(() => {
      if (this.#identities === asked) this.#identities = undefined; // as for #resolved
    });
    return asked;
  }

  /** Those of our domains whose configured postmaster is nobody (yet), or that have nobody at all to be one. */
  async domainsWithoutPostmaster(): Promise<string[]> {
    const found: string[] = [];
    for (const { name, postmaster = `postmaster@${name}` } of this.#domains) {
      const address = parseAddress(postmaster);
      const resolution = address && (await this.resolve(address, postmaster));
      if (resolution?.status === 'unknown') found.push(name);
    }
    return found;
  }

  async #invertAliases(): Promise<Map<string, string[]>> {
    const byAccount = new Map<string, string[]>();
    for (const { address } of await this.#parts.store.listAliases()) {
      for (const account of await peopleOf(this.#places, address))
        byAccount.set(account, [...(byAccount.get(account) ?? []), address]);
    }
    return byAccount;
  }

  #remember(key: string, asked: Promise<Resolution>): Promise<Resolution> {
    if (this.#resolved.size >= maxRemembered) this.#resolved.clear();
    this.#resolved.set(key, asked);
    asked.then(
      (resolution) => {
        if (this.#resolved.get(key) === asked) this.#resolved.set(key, resolution);
      },
      () => this.#resolved.delete(key), // the error goes to who asked; the next one asks anew
    );
    return asked;
  }

  async #find(key: string, { localPart, domain }: Address): Promise<Resolution> {
    const evenClosed = isRole(localPart);
    const followed = await this.#follow({ original: key, start: key, evenClosed });
    if (followed.status !== 'unknown') return followed;
    const standIn = evenClosed ? await this.#findPostmaster(key, domain) : followed;
    const removed = standIn.status === 'unknown' ? await this.#findRemoved({ localPart, domain }) : undefined;
    if (removed) return removed.isUnknown ? { status: 'unknown' } : { status: 'unknown', isClosed: true };
    const catchAll = this.#domain(domain)?.catchAll;
    if (standIn.status !== 'unknown' || followed.isClosed || catchAll === undefined) return standIn;
    return this.#follow({ original: key, start: catchAll, rule: 'catch-all' });
  }

  /** What was for somebody who may come back is for nobody else meanwhile. */
  async #findRemoved(address: Address) {
    for (const { key } of readingsOf(address, this.#places.domains)) {
      const account = await this.#parts.store.findRemovedAccount?.(key);
      if (account) return account.settings?.removed;
    }
    return undefined;
  }

  async #follow(way: Way): Promise<Exclude<Resolution, { status: 'elsewhere' }>> {
    const { recipients, isClosed, cut } = await follow(this.#places, way);
    if (cut !== undefined) return { status: 'endless', why: cut };
    if (recipients.size > 0)
      return { status: 'found', recipients: await this.#withKeeper(way, [...recipients.values()]) };
    return isClosed ? { status: 'unknown', isClosed } : { status: 'unknown' };
  }

  /** What an alias leads out of here has no mailbox for junk: it has that of the domain's postmaster. */
  async #withKeeper({ original }: Way, recipients: Recipient[]): Promise<Recipient[]> {
    const leavesHere = ({ kind, junkTo }: Recipient) => kind === 'remote' && junkTo === undefined;
    if (!recipients.some(leavesHere)) return recipients;
    const keeper = await this.#findKeeper(original.slice(original.lastIndexOf('@') + 1));
    const kept: Recipient[] = [];
    for (const each of recipients) {
      const [owner = keeper] = each.list ? await peopleOf(this.#places, each.list.owner) : [];
      kept.push(leavesHere(each) && owner !== undefined ? { ...each, junkTo: owner } : each);
    }
    return kept;
  }

  async #findKeeper(domain: string): Promise<string | undefined> {
    for await (const start of this.#postmastersOf(domain))
      for (const account of await peopleOf(this.#places, start)) return account;
    return undefined;
  }

  async #findPostmaster(key: string, domain: string): Promise<Resolution> {
    for await (const start of this.#postmastersOf(domain)) {
      const rule = 'every domain has a postmaster';
      const found = await this.#follow({ original: key, start, rule, evenClosed: true });
      if (found.status === 'found') return found;
    }
    return { status: 'unknown' };
  }

  /** Who may be asked, in order: the configured postmaster, the domain's first account, then those of the other domains. */
  async *#postmastersOf(domain: string): AsyncIterable<string> {
    const own = this.#domain(domain);
    for (const { name, postmaster } of [...(own ? [own] : []), ...this.#domains]) {
      if (postmaster !== undefined) yield postmaster;
      const first = await this.#parts.store.firstAccount(name);
      if (first !== undefined) yield first;
    }
  }

  /** The domain itself, or the one that it is an alias of. */
  #domain(name: string): LocalDomain | undefined {
    const { domains } = this.#places;
    const own = domains.get(name);
    return own?.aliasOf === undefined ? own : (domains.get(own.aliasOf) ?? own);
  }
}

const placesOf = ({ store, domains }: DirectoryParts): PlaceParts => ({
  store,
  domains: new Map(domains.map((domain) => [domain.name, domain])),
});

function elsewhere(spelled: string, domain: string): Resolution {
  return { status: 'elsewhere', recipient: { kind: 'remote', address: spelled, destination: domain } };
}

/** A tag is its user's own, and keeps the case in which it was written. */
function asWritten(resolution: Resolution, key: string, address: Address): Resolution {
  if (resolution.status !== 'found') return resolution;
  if (!resolution.recipients.some(({ redirected }) => redirected)) return resolution;
  const from = formatAddress(address);
  if (from === key) return resolution;
  const recipients = resolution.recipients.map((recipient) =>
    recipient.redirected ? { ...recipient, redirected: { ...recipient.redirected, from } } : recipient,
  );
  return { status: 'found', recipients };
}
