/** Whose token it is, and for what: from an issuer's claims to an address of ours (OpenID Connect Core §5.1, RFC 8693 §4.2). */

import { addressKey, parseAddress } from '../mail/address.ts';
import type { Claims } from './jwt.ts';

export interface Mapping {
  /** The claim that holds the account's address. */
  claim: string;
  /** All of them must have been granted. */
  scopes: readonly string[];
}

/** The address, or what is wrong. */
export function addressIn(
  claims: Claims,
  { claim, scopes }: Mapping,
): { address: string } | { fault: string } {
  const granted = scopesOf(claims);
  const missing = scopes.filter((scope) => !granted.has(scope));
  if (missing.length > 0) return { fault: `the token lacks the scope ${missing.join(' ')}` };
  const value = claims[claim];
  const address = typeof value === 'string' ? parseAddress(value) : undefined;
  if (address === undefined) return { fault: `the token's claim "${claim}" is no mail address` };
  // Anybody may write any address into a profile that the issuer has not verified.
  if (claim === 'email' && claims.email_verified !== true)
    return { fault: 'the issuer has not verified the mail address' };
  return { address: addressKey(address) };
}

/** `scope` as RFC 8693 has it, `scp` as some issuers write it. */
function scopesOf({ scope, scp }: Claims): Set<string> {
  const words = [scope, scp].flat().flatMap((each) => (typeof each === 'string' ? each.split(' ') : []));
  return new Set(words);
}
