/** The TXT record at `_mta-sts.DOMAIN`: there is a policy, and it is still the one that was fetched (RFC 8461 §3.1). */

import { hasVersion, readFields } from '../dns/text-fields.ts';

const version = 'STSv1';

/**
 * The id of the policy. Undefined where none is announced: no record, more than one, or one that is malformed count the
 * same. `texts` are the records there, each joined.
 */
export function readPolicyId(texts: readonly string[]): string | undefined {
  const [text, ...others] = texts.filter((each) => hasVersion(each, version));
  if (text === undefined || others.length > 0) return undefined;
  const [, id] = readFields(text, version)?.find(([name]) => name === 'id') ?? [];
  return id !== undefined && /^[A-Za-z\d]{1,32}$/.test(id) ? id : undefined;
}
