/** Which policy judges what comes in for a recipient: the mailbox's own, else its domain's, else the default. */

import type { SenderLists } from '../policy/condition.ts';
import { defaultPolicy, defaultPolicyName, type Policy } from '../policy/policy.ts';
import type { Recipient } from '../queue/directory.ts';
import type { Store } from '../store/store.ts';

export interface PoliciesParts {
  /** By their names; one called "default" takes the place of the built-in one. */
  policies: readonly Policy[];
  domains: readonly { name: string; policy?: string }[];
  store: Pick<Store, 'findAccount'>;
}

export interface Chosen {
  policy: Policy;
  lists: SenderLists;
}

export class Policies {
  readonly #parts: PoliciesParts;
  readonly #byName: ReadonlyMap<string, Policy>;
  readonly #ofDomain: ReadonlyMap<string, Policy>;

  constructor(parts: PoliciesParts) {
    this.#parts = parts;
    this.#byName = new Map([defaultPolicy, ...parts.policies].map((policy) => [policy.name, policy]));
    this.#ofDomain = new Map(parts.domains.map(({ name, policy }) => [name, this.#named(policy)]));
  }

  /** All that may have to judge. */
  get all(): readonly Policy[] {
    return [...this.#byName.values()];
  }

  /** What an account has passed on is its own mail all the same. */
  async of({ kind, address, redirected, forwardedBy }: Recipient): Promise<Chosen> {
    const mailbox = forwardedBy ?? (kind === 'local' ? address : undefined);
    const here = mailbox ?? redirected?.from ?? address;
    const account = mailbox === undefined ? undefined : await this.#parts.store.findAccount(mailbox);
    const { policy: name, block = [], allow = [] } = account?.settings ?? {};
    const policy =
      name === undefined
        ? (this.#ofDomain.get(here.slice(here.lastIndexOf('@') + 1)) ?? this.#named(undefined))
        : this.#named(name);
    const lists = {
      block: policy.block ? [...block, ...policy.block] : block,
      allow: policy.allow ? [...allow, ...policy.allow] : allow,
    };
    return { policy, lists };
  }

  /** A mailbox may name a policy that the configuration has no more: the default is better than none. */
  #named(name = defaultPolicyName): Policy {
    return this.#byName.get(name) ?? this.#byName.get(defaultPolicyName) ?? defaultPolicy;
  }
}
