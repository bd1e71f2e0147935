/** The tables about those who use and run the server: accounts, logins, roles, users of the machine. */

import * as v from 'valibot';
import * as kinds from './kinds.ts';
import * as values from './values.ts';

export const sendmailSenderShape = {
  user: values.userName(),
  as: kinds.list(values.sender(), '["shop@example.com"]'),
};

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

export const controlShape = (directory: string) => ({
  directory: v.optional(values.path(directory), '/run/posthorn'),
  operators: v.exactOptional(values.groupName()),
  viewers: v.exactOptional(values.groupName()),
});

export const accountsShape = {
  graceDays: v.optional(kinds.count(0, 3650, 'days'), 14),
};

export const loginShape = {
  scram: v.optional(kinds.oneOf('auto', 'always', 'never'), 'auto'),
};

export const introspectionShape = (directory: string) => ({
  url: values.httpsUrl(),
  clientId: values.clientId(),
  clientSecretFile: values.secret(directory),
});

export const oauthShape = (directory: string) => ({
  issuer: values.httpsUrl(),
  audience: values.audience(),
  scopes: v.optional(kinds.list(values.scope(), '["mail"]'), []),
  claim: v.optional(values.claim(), 'email'),
  introspection: v.exactOptional(kinds.table(introspectionShape(directory))),
});
