/** What `posthorn doctor` says of the mailboxes' policies: whether those that they name are there. */

import type { Admin } from '../admin/admin.ts';
import type { Config } from '../config/config.ts';
import { found, type Section } from '../doctor/finding.ts';
import { lostPolicies, mailboxWords } from '../reception/lost-policies.ts';

/** Undefined where all are there. */
export function policySection(
  accounts: Awaited<ReturnType<Admin['listAccounts']>>,
  { policies }: Pick<Config, 'policies'>,
): Section | undefined {
  const examined = lostPolicies(accounts, policies).map((lost) => ({
    name: lost.name,
    verdict: 'the default policy judges in its place',
    isDomain: true as const,
    findings: [
      found('policy-gone', {
        evidence: `${mailboxWords(lost.mailboxes)} ${lost.mailboxes.length === 1 ? 'names' : 'name'} it, and no [[policy]] is called so`,
        remedy: `Write [[policy]] with name = "${lost.name}", or give each mailbox another: posthorn account set ADDRESS --policy NAME, or --no-policy.`,
      }),
    ],
  }));
  return examined.length === 0 ? undefined : { section: 'policies of mailboxes', examined };
}
