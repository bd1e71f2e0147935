/** Mailboxes of domains that the configuration has no more: mail for them is sent elsewhere, by DNS, or not taken in. */

import type { Store } from '../store/store.ts';
import type { Log } from '../util/log.ts';
import { mailboxWords } from './lost-policies.ts';

export interface LostDomain {
  name: string;
  /** The mailboxes in it. */
  mailboxes: string[];
}

export function lostDomains(
  accounts: readonly { address: string }[],
  domains: readonly { name: string }[],
): LostDomain[] {
  const known = new Set(domains.map(({ name }) => name));
  const lost = new Map<string, string[]>();
  for (const { address } of accounts) {
    const name = address.slice(address.lastIndexOf('@') + 1);
    if (!known.has(name)) lost.set(name, [...(lost.get(name) ?? []), address]);
  }
  return [...lost].map(([name, mailboxes]) => ({ name, mailboxes }));
}

export async function warnOfLostDomains(
  { store, log }: { store: Pick<Store, 'listAccounts'>; log: Log },
  { domains }: { domains: readonly { name: string }[] },
): Promise<void> {
  for (const { name, mailboxes } of lostDomains(await store.listAccounts(), domains))
    log.warn(
      { domain: name, mailboxes: mailboxWords(mailboxes) },
      'mailboxes are in a domain that is not in the configuration, and get no mail; add it, or "posthorn account remove ADDRESS"',
    );
}
