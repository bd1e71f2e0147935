/**
 * Who is a recipient here, and who may send as whom: domains, accounts, aliases and the addresses that every domain
 * owes the world (postmaster@ and abuse@: RFC 5321 §4.5.1, RFC 2142). Asks the store once and remembers the answer.
 */

import { type Address, addressKey, parseAddress } from '../mail/address.ts';
import type { JobRequests, Store } from '../store/store.ts';
import type { MaybePromise } from '../util/maybe-promise.ts';

/** Where a message for one recipient goes in the end. */
export interface Recipient {
  kind: 'local' | 'remote';
  /** Local: the account. Remote: the address as it was given. */
  address: string;
  /** The domain of a remote recipient; '' for a local one. */
  destination: string;
  /** What the sender wrote, where it was resolved to another address, and by which rule. */
  redirected?: { from: string; rule: string };
  /** What the sender asked for about this recipient. */
  requests?: JobRequests;
}

export type Resolution =
  | { status: 'found'; recipients: readonly Recipient[] }
  /** Not one of our domains. */
  | { status: 'elsewhere'; recipient: Recipient }
  /** One of our domains, but nobody there has this address. */
  | { status: 'unknown' };

export interface DirectoryParts {
  store: Pick<Store, 'findAccount' | 'findAlias' | 'firstAccount' | 'listAliases'>;
  domains: readonly { name: string; postmaster?: string }[];
}

/** An alias may lead to an alias, so many times; and reach so many recipients. */
const maxAliasDepth = 10;
const maxAliasRecipients = 1000;
/** Answers remembered before all are forgotten. */
const maxRemembered = 10_000;

const roles = new Set(['postmaster', 'abuse']);

export class Directory {
  readonly #parts: DirectoryParts;
  readonly #postmasters: Map<string, string | undefined>;
  readonly #resolved = new Map<string, MaybePromise<Resolution>>();
  #identities: Promise<Map<string, string[]>> | undefined;

  constructor(parts: DirectoryParts) {
    this.#parts = parts;
    this.#postmasters = new Map(parts.domains.map(({ name, postmaster }) => [name, postmaster]));
  }

  /** `domain` in A-labels. */
  isLocal(domain: string): boolean {
    return this.#postmasters.has(domain);
  }

  /** The domain that stands for this server: the first one configured. */
  get firstDomain(): string | undefined {
    return this.#parts.domains[0]?.name;
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
    const key = addressKey({ ...address, domain });
    const known = this.#resolved.get(key);
    if (known) return known;
    const asked = this.#remember(key, this.#find(key, domain));
    return asked;
  }

  /** The addresses that the account may send as: its own, and every alias that leads to it. */
  async identitiesOf(account: string): Promise<ReadonlySet<string>> {
    const aliases = (await this.#aliasesByAccount()).get(account) ?? [];
    return new Set([account, ...aliases]);
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
    for (const [name, postmaster = `postmaster@${name}`] of this.#postmasters) {
      const address = parseAddress(postmaster);
      const resolution = address && (await this.resolve(address, postmaster));
      if (resolution?.status === 'unknown') found.push(name);
    }
    return found;
  }

  async #invertAliases(): Promise<Map<string, string[]>> {
    const byAccount = new Map<string, string[]>();
    for (const { address } of await this.#parts.store.listAliases()) {
      const recipients = await this.#collect(address, address);
      for (const account of recipients.keys())
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

  async #find(key: string, domain: string): Promise<Resolution> {
    const recipients = await this.#collect(key, key);
    if (recipients.size > 0) return { status: 'found', recipients: [...recipients.values()] };
    const localPart = key.slice(0, key.lastIndexOf('@'));
    if (!roles.has(localPart)) return { status: 'unknown' };
    for await (const person of this.#postmastersOf(domain)) {
      const responsible = await this.#collect(key, person, 'every domain has a postmaster');
      if (responsible.size > 0) return { status: 'found', recipients: [...responsible.values()] };
    }
    return { status: 'unknown' };
  }

  /** Who may be asked, in order: the configured postmaster, the domain's first account, then those of the other domains. */
  async *#postmastersOf(domain: string): AsyncIterable<string> {
    for (const name of [domain, ...this.#postmasters.keys()]) {
      const configured = this.#postmasters.get(name);
      if (configured !== undefined) yield configured;
      const first = await this.#parts.store.firstAccount(name);
      if (first !== undefined) yield first;
    }
  }

  /** The accounts and remote addresses that `start` leads to over aliases, on behalf of `original`. */
  async #collect(original: string, start: string, rule = 'alias'): Promise<Map<string, Recipient>> {
    const found = new Map<string, Recipient>();
    const seen = new Set<string>();
    const follow = async (key: string, depth: number): Promise<void> => {
      if (seen.has(key) || depth > maxAliasDepth || found.size >= maxAliasRecipients) return;
      seen.add(key);
      const alias = await this.#parts.store.findAlias(key);
      for (const target of alias?.targets ?? []) await follow(target, depth + 1);
      const recipient = alias ? undefined : await this.#recipient(key);
      if (recipient)
        found.set(key, key === original ? recipient : { ...recipient, redirected: { from: original, rule } });
    };
    await follow(start, 0);
    return found;
  }

  /** Who an address is that no alias has. */
  async #recipient(key: string): Promise<Recipient | undefined> {
    const address = parseAddress(key);
    if (!address) return undefined;
    if (!this.isLocal(address.domain)) return { kind: 'remote', address: key, destination: address.domain };
    const account = await this.#parts.store.findAccount(key);
    return account && { kind: 'local', address: key, destination: '' };
  }
}

function elsewhere(spelled: string, domain: string): Resolution {
  return { status: 'elsewhere', recipient: { kind: 'remote', address: spelled, destination: domain } };
}
