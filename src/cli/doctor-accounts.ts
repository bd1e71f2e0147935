/** What `posthorn doctor` says of mailboxes whose domain the configuration has no more. */

import type { Admin } from '../admin/admin.ts';
import type { Config } from '../config/config.ts';
import { found, type Section } from '../doctor/finding.ts';
import { lostDomains } from '../reception/lost-domains.ts';
import { mailboxWords } from '../reception/lost-policies.ts';

/** Undefined where all have theirs. */
export function accountSection(
  accounts: Awaited<ReturnType<Admin['listAccounts']>>,
  { domains }: Pick<Config, 'domains'>,
): Section | undefined {
  const examined = lostDomains(accounts, domains).map(({ name, mailboxes }) => ({
    name,
    verdict: 'no domain of this server',
    isDomain: true as const,
    findings: [
      found('domain-gone', {
        evidence: `${mailboxWords(mailboxes)}: there is no [[domain]] name = "${name}"`,
        remedy: 'Write that [[domain]] again, or remove each: posthorn account remove ADDRESS.',
      }),
    ],
  }));
  return examined.length === 0 ? undefined : { section: 'mailboxes without a domain', examined };
}
