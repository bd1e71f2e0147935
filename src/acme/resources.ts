/** What an authority's answers hold (RFC 8555 §7.1), read with care: what is not as the standard has it is nonsense. */

import { isObject, nonsense, parseObject } from './acme-error.ts';

export interface Directory {
  newNonce: URL;
  newAccount: URL;
  newOrder: URL;
  revokeCert?: URL;
  /** RFC 9773 §4; absent: it gives no advice. */
  renewalInfo?: URL;
  termsOfService?: string;
  /** Names that stand for it in CAA records. */
  caaIdentities: readonly string[];
  needsExternalAccount: boolean;
}

export interface Order {
  status: 'pending' | 'ready' | 'processing' | 'valid' | 'invalid';
  names: readonly string[];
  authorizations: readonly URL[];
  finalize: URL;
  certificate?: URL;
  error?: unknown;
}

export interface Challenge {
  type: string;
  url: URL;
  status: string;
  token: string;
  error?: unknown;
}

export interface Authorization {
  status: 'pending' | 'valid' | 'invalid' | 'deactivated' | 'expired' | 'revoked';
  name: string;
  challenges: readonly Challenge[];
}

/** More than we ask for is nonsense. */
const maxAuthorizations = 200;

export function readDirectory(body: Buffer): Directory {
  const value = objectOf(body, 'the directory');
  const meta = isObject(value.meta) ? value.meta : {};
  const { renewalInfo: advice, revokeCert } = value;
  return {
    newNonce: urlOf(value.newNonce, 'newNonce'),
    newAccount: urlOf(value.newAccount, 'newAccount'),
    newOrder: urlOf(value.newOrder, 'newOrder'),
    ...(revokeCert !== undefined && { revokeCert: urlOf(revokeCert, 'revokeCert') }),
    ...(advice !== undefined && { renewalInfo: urlOf(advice, 'renewalInfo') }),
    ...(typeof meta.termsOfService === 'string' && { termsOfService: meta.termsOfService }),
    caaIdentities: textsOf(meta.caaIdentities),
    needsExternalAccount: meta.externalAccountRequired === true,
  };
}

export function readOrder(body: Buffer): Order {
  const value = objectOf(body, 'the order');
  const { authorizations = [], certificate } = value;
  if (!Array.isArray(authorizations) || authorizations.length > maxAuthorizations)
    throw nonsense('its authorizations are no list');
  return {
    status: oneOf(value.status, ['pending', 'ready', 'processing', 'valid', 'invalid']),
    names: identifiersOf(value.identifiers),
    authorizations: authorizations.map((url) => urlOf(url, 'an authorization')),
    finalize: urlOf(value.finalize, 'finalize'),
    ...(certificate !== undefined && { certificate: urlOf(certificate, 'the certificate') }),
    ...(value.error !== undefined && { error: value.error }),
  };
}

export function readAuthorization(body: Buffer): Authorization {
  const value = objectOf(body, 'the authorization');
  const [name] = identifiersOf([value.identifier]);
  if (name === undefined) throw nonsense('an authorization is for no name');
  return {
    status: oneOf(value.status, ['pending', 'valid', 'invalid', 'deactivated', 'expired', 'revoked']),
    name,
    challenges: Array.isArray(value.challenges) ? value.challenges.flatMap(challengeOf) : [],
  };
}

/** One of a kind that we do not know may be of any shape (RFC 8555 §8). */
function challengeOf(value: unknown): Challenge[] {
  if (!isObject(value) || typeof value.type !== 'string' || typeof value.token !== 'string') return [];
  // RFC 8555 §8.1: base64url; it becomes part of a path and of a file.
  if (!/^[\w-]{1,500}$/.test(value.token)) return [];
  const { type, token, error } = value;
  return [
    {
      type,
      token,
      url: urlOf(value.url, 'a challenge'),
      status: String(value.status),
      ...(error !== undefined && { error }),
    },
  ];
}

function objectOf(body: Buffer, what: string): Record<string, unknown> {
  const value = parseObject(body);
  if (value === undefined) throw nonsense(`${what} is no JSON object`);
  return value;
}

function urlOf(value: unknown, what: string): URL {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol !== 'https:') throw nonsense(`${what} is no https: address`);
  return url;
}

const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string').slice(0, 20) : [];

function identifiersOf(value: unknown): string[] {
  if (!Array.isArray(value)) throw nonsense('there is no list of names');
  return value.flatMap((item) =>
    isObject(item) && item.type === 'dns' && typeof item.value === 'string' ? [item.value.toLowerCase()] : [],
  );
}

function oneOf<const T extends string>(value: unknown, known: readonly T[]): T {
  const found = known.find((one) => one === value);
  if (found === undefined) throw nonsense(`${JSON.stringify(value)?.slice(0, 40)} is no status`);
  return found;
}
