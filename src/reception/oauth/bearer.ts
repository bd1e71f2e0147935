/** OAUTHBEARER and XOAUTH2 for our accounts: a good token logs in to the account whose address it bears, if there is one. */

import { type BearerMechanism, bearerServer } from '../../sasl/bearer-server.ts';
import type { StartMechanism } from '../../sasl/exchange.ts';
import type { Store } from '../../store/store.ts';
import { configurationUrl } from './issuer-keys.ts';
import { type CheckToken, type TokenParts, tokenChecks } from './token-checks.ts';

const bearerMechanisms: readonly BearerMechanism[] = ['OAUTHBEARER', 'XOAUTH2'];

export function bearers(
  parts: TokenParts & { store: Pick<Store, 'findAccount'> },
): ReadonlyMap<string, StartMechanism> {
  const { issuer, scopes } = parts.oauth;
  const hint = {
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    'openid-configuration': configurationUrl(issuer),
  };
  const check = ofOurs(tokenChecks(parts), parts);
  return new Map(bearerMechanisms.map((name) => [name, () => bearerServer(name, { check, hint })] as const));
}

/** An issuer may know people who have no account here. The log says why, the client only that. */
function ofOurs(
  check: CheckToken,
  { store, log }: Pick<TokenParts, 'log'> & { store: Pick<Store, 'findAccount'> },
): CheckToken {
  return async (token) => {
    const verdict = await check(token);
    if (verdict.kind === 'invalid') log.info({ reason: verdict.reason }, 'a token was refused');
    if (verdict.kind !== 'valid' || (await store.findAccount(verdict.user))) return verdict;
    log.info({ user: verdict.user }, 'a token of somebody without an account was refused');
    return { kind: 'invalid', status: 'invalid_token', reason: 'there is no such account' };
  };
}
