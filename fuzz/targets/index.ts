/** Everything that is fuzzed. */

import { acmeTargets } from './acme.ts';
import { addresses, domains } from './addresses.ts';
import { bodies } from './bodies.ts';
import { checkSenderTarget } from './check-sender.ts';
import { checks } from './checks.ts';
import { clientHello } from './client-hello.ts';
import { configuration } from './config.ts';
import { control } from './control.ts';
import { dnsFrames, dnsQueries, dnsReplies } from './dns.ts';
import { dnsSignatures } from './dns-signatures.ts';
import { dossier } from './dossier.ts';
import { filters } from './filters.ts';
import { headers } from './headers.ts';
import { kept } from './kept.ts';
import { mailboxes } from './mailboxes.ts';
import { maildir } from './maildir.ts';
import { pop3ClearText, pop3Tls } from './pop3-session.ts';
import { preflightLetter } from './preflight.ts';
import { programs } from './programs.ts';
import { proxyHeader } from './proxy-header.ts';
import { published } from './published.ts';
import { reports } from './reports.ts';
import { returnPaths } from './return-paths.ts';
import { rows } from './rows.ts';
import { sasl } from './sasl.ts';
import { scramClient } from './scram-client.ts';
import { senderRecords } from './sender-records.ts';
import { sevenBit } from './seven-bit.ts';
import { smtpClient } from './smtp-client.ts';
import { smtpReplyLines } from './smtp-replies.ts';
import { smtpLmtp, smtpOutside, smtpSubmission } from './smtp-session.ts';
import type { Target } from './target.ts';
import { jwks, jwt } from './tokens.ts';
import { webTargets } from './web.ts';
import { webRequests } from './web-requests.ts';

export const targets: readonly Target[] = [
  smtpOutside,
  smtpSubmission,
  smtpLmtp,
  smtpClient,
  smtpReplyLines,
  pop3ClearText,
  pop3Tls,
  proxyHeader,
  clientHello,
  sasl,
  scramClient,
  jwt,
  jwks,
  control,
  dnsReplies,
  dnsQueries,
  dnsFrames,
  dnsSignatures,
  addresses,
  domains,
  mailboxes,
  ...headers,
  ...bodies,
  sevenBit,
  checkSenderTarget,
  ...senderRecords,
  ...published,
  ...configuration,
  ...filters,
  ...checks,
  ...reports,
  rows,
  dossier,
  maildir,
  ...kept,
  ...webTargets,
  webRequests,
  ...acmeTargets,
  ...returnPaths,
  ...programs,
  preflightLetter,
];

export const findTarget = (name: string): Target | undefined =>
  targets.find((target) => target.name === name);
