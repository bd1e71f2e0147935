/** The tables about those who use and run the server: accounts, logins, roles, users of the machine. */

import * as v from 'valibot';
import * as kinds from './kinds.ts';
import type { SecretSource } from './secret.ts';
import * as values from './values.ts';

export const sendmailSenderShape = {
  user: values.userName(),
  as: kinds.list(values.sender(), '["shop@example.com"]'),
};

/** What users and programs of this machine hand in by `posthorn sendmail`. */
export interface SendmailConfig {
  /** There is a maildrop. */
  enabled: boolean;
  /** Of addresses without one. Default: the hostname where it is a domain of ours, else the first domain. */
  domain?: string;
  /** Names of users who may send as any address of ours. */
  trusted: readonly string[];
  /** What others may, besides their own name: addresses, as `addressKey()` writes them, and domains. */
  senders: readonly { user: string; as: readonly string[] }[];
  /** Of one user within an hour; what is more waits. */
  hourlyMessages: number;
  hourlyMegabytes: number;
}

export const sendmailShape = {
  enabled: v.optional(kinds.flag(), false),
  domain: v.exactOptional(values.domainName()),
  trusted: v.optional(kinds.list(values.userName(), '["root"]'), ['root']),
  senders: v.optional(
    kinds.list(kinds.table(sendmailSenderShape), '[{ user = "www-data", as = ["shop@example.com"] }]'),
    [],
  ),
  hourlyMessages: v.optional(kinds.count(1, 1_000_000, 'messages'), 1000),
  hourlyMegabytes: v.optional(kinds.count(1, 1_000_000, 'megabytes'), 500),
};

/** Who besides the server's own user may use its control sockets: names or numbers of groups. */
export interface ControlConfig {
  /** Where their sockets are. */
  directory: string;
  operators?: string;
  viewers?: string;
}

export const controlShape = (directory: string) => ({
  directory: v.optional(values.path(directory), '/run/posthorn'),
  operators: v.exactOptional(values.groupName()),
  viewers: v.exactOptional(values.groupName()),
});

export interface AccountsConfig {
  /** An account that was removed is kept for so long, and can be restored. */
  graceDays: number;
}

export const accountsShape = {
  graceDays: v.optional(kinds.count(0, 3650, 'days'), 14),
};

export interface LoginConfig {
  /** SCRAM-SHA-256 is offered: once every account has keys for it, at once, or never. */
  scram: 'auto' | 'always' | 'never';
}

export const loginShape = {
  scram: v.optional(kinds.oneOf('auto', 'always', 'never'), 'auto'),
};

export const introspectionShape = (directory: string) => ({
  url: values.httpsUrl(),
  clientId: values.clientId(),
  clientSecretFile: values.secret(directory),
});

/** Who issues the tokens by which our users log in. */
export interface OauthConfig {
  /** An https: URL, as it stands in tokens. */
  issuer: string;
  /** For whom a token must be. */
  audience: string;
  scopes: readonly string[];
  /** The claim that holds the account's address. */
  claim: string;
  /** Where to ask about each token (RFC 7662); absent: it is a JWT, and is verified by the issuer's keys. */
  introspection?: { url: string; clientId: string; clientSecretFile: SecretSource };
}

export const oauthShape = (directory: string) => ({
  issuer: values.httpsUrl(),
  audience: values.audience(),
  scopes: v.optional(kinds.list(values.scope(), '["mail"]'), []),
  claim: v.optional(values.claim(), 'email'),
  introspection: v.exactOptional(kinds.table(introspectionShape(directory))),
});
