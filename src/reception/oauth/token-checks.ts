/** Whether a token is good: by its signature and claims, or by asking its issuer (RFC 7662). */

import type { OauthConfig } from '../../config/people.ts';
import { readSecret } from '../../config/secret.ts';
import type { Https } from '../../net/https.ts';
import { addressIn, type Mapping } from '../../oauth/claims.ts';
import { type Claims, faultOf, isSignedBy, keysFor, longestToken, readToken } from '../../oauth/jwt.ts';
import type { TokenVerdict } from '../../sasl/bearer-server.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { IssuerKeys } from './issuer-keys.ts';
import { fetchJson, IssuerError } from './json-fetch.ts';

export interface TokenParts {
  oauth: OauthConfig;
  https: Https;
  clock: Clock;
  log: Log;
}

export type CheckToken = (token: string) => Promise<TokenVerdict>;

const unavailable: TokenVerdict = {
  kind: 'unavailable',
  reason: 'The issuer of the token cannot be asked now; try again later',
};

export function tokenChecks(parts: TokenParts): CheckToken {
  return parts.oauth.introspection ? byIntrospection(parts) : bySignature(parts);
}

function bySignature({ oauth, ...parts }: TokenParts): CheckToken {
  const { issuer, audience } = oauth;
  const keys = new IssuerKeys({ ...parts, issuer });
  return async (text) => {
    const token = readToken(text);
    if (typeof token === 'string') return invalid(token);
    // Before the issuer is asked for keys: a token that cannot be good costs it nothing.
    const fault = faultOf(token.claims, { issuer, audience, now: parts.clock.now() });
    if (fault) return invalid(fault);
    const found = await keys.find((all) => keysFor(token, all));
    if (found === undefined) return unavailable;
    return isSignedBy(token, found)
      ? userOf(token.claims, oauth)
      : invalid('no key of the issuer has signed it');
  };
}

function byIntrospection({ oauth, https, clock, log }: TokenParts): CheckToken {
  const { issuer, audience, introspection } = oauth;
  if (!introspection) throw new Error('introspection without a place to ask');
  const { url, clientId, clientSecretFile } = introspection;
  const ask = async (token: string): Promise<Claims> => {
    // RFC 6749 §2.3.1: each coded as in a form.
    const login = [clientId, await readSecret(clientSecretFile)].map(encodeURIComponent).join(':');
    const headers = { authorization: `Basic ${Buffer.from(login).toString('base64')}` };
    const form = new URLSearchParams({ token, token_type_hint: 'access_token' });
    return fetchJson(https, { url, headers, form });
  };
  return async (token) => {
    if (token.length > longestToken) return invalid('the token is too long');
    try {
      const claims = await ask(token);
      if (claims.active !== true) return invalid('the issuer says that the token is not good');
      // Members are optional there (§2.2): what is said must be true, and the issuer has looked at the rest.
      const { iss = issuer, aud = audience, exp = clock.now() / 1000 } = claims;
      const fault = faultOf({ ...claims, iss, aud, exp }, { issuer, audience, now: clock.now() });
      return fault ? invalid(fault) : userOf(claims, oauth);
    } catch (error) {
      if (!(error instanceof IssuerError)) throw error;
      log.warn({ issuer, reason: error.message }, 'the issuer of tokens cannot be asked');
      return unavailable;
    }
  };
}

function userOf(claims: Claims, mapping: Mapping): TokenVerdict {
  const found = addressIn(claims, mapping);
  if ('address' in found) return { kind: 'valid', user: found.address };
  const status = found.fault.includes('lacks the scope') ? 'insufficient_scope' : 'invalid_token';
  return { kind: 'invalid', status, reason: found.fault };
}

const invalid = (reason: string): TokenVerdict => ({ kind: 'invalid', status: 'invalid_token', reason });
