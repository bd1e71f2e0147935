/** The policy of a domain of ours, as it is served, and the id by which senders see that it has changed (RFC 8461 §3.1, §3.2). */

import { createHash } from 'node:crypto';
import type { StsPolicy } from './policy.ts';

/** Its lines may end in LF; those who read the letter of §3.2 expect CRLF. */
export function formatPolicy({ mode, mx, maxAge }: StsPolicy): string {
  const fields = [
    'version: STSv1',
    `mode: ${mode}`,
    ...mx.map((host) => `mx: ${host}`),
    `max_age: ${maxAge}`,
  ];
  return fields.map((field) => `${field}\r\n`).join('');
}

/** For the TXT record at `_mta-sts.`: another policy, another id. Letters and digits, at most 32 (RFC 8461 §3.1). */
export const policyId = (policy: StsPolicy): string =>
  createHash('sha256').update(formatPolicy(policy)).digest('hex').slice(0, 20);

/** The text of that record. */
export const policyRecord = (policy: StsPolicy): string => `v=STSv1; id=${policyId(policy)}`;
