/** Mailboxes that name a policy which the configuration has no more: the default one judges for them, which nobody meant. */

import { defaultPolicyName } from '../policy/policy.ts';
import type { AccountSettings } from '../store/account-store.ts';
import type { Store } from '../store/store.ts';
import type { Log } from '../util/log.ts';

export interface LostPolicy {
  name: string;
  /** The mailboxes that name it. */
  mailboxes: string[];
}

export function lostPolicies(
  accounts: readonly { address: string; settings?: AccountSettings }[],
  policies: readonly { name: string }[],
): LostPolicy[] {
  const known = new Set([defaultPolicyName, ...policies.map(({ name }) => name)]);
  const lost = new Map<string, string[]>();
  for (const { address, settings: { policy } = {} } of accounts)
    if (policy !== undefined && !known.has(policy)) lost.set(policy, [...(lost.get(policy) ?? []), address]);
  return [...lost].map(([name, mailboxes]) => ({ name, mailboxes }));
}

/** Mailboxes of one policy that are told of by name. */
const toldMailboxes = 10;

/** `a@example.com, b@example.com and 3 more`. */
export function mailboxWords(mailboxes: readonly string[]): string {
  const more = mailboxes.length - toldMailboxes;
  return `${mailboxes.slice(0, toldMailboxes).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

export async function warnOfLostPolicies(
  { store, log }: { store: Pick<Store, 'listAccounts'>; log: Log },
  { policies }: { policies: readonly { name: string }[] },
): Promise<void> {
  for (const lost of lostPolicies(await store.listAccounts(), policies))
    log.warn(
      { policy: lost.name, mailboxes: mailboxWords(lost.mailboxes) },
      'mailboxes name a policy that is not in the configuration, and are judged by the default one; add it, or "posthorn account set ADDRESS --policy NAME" or "--no-policy"',
    );
}
