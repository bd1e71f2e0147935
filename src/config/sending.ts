/** The tables about mail that goes out: routes, pace, addresses to send from. */

import * as v from 'valibot';
import * as kinds from './kinds.ts';
import { standardPorts } from './listeners.ts';
import * as values from './values.ts';

export const relayShape = {
  trustedNetworks: v.optional(kinds.list(values.trustedNetwork(), '["192.0.2.0/24"]'), []),
};

export const fallbackPortsShape = {
  submissions: v.optional(values.remotePort(), standardPorts.submissions),
  submission: v.optional(values.remotePort(), standardPorts.submission),
};

export const deliveryShape = (directory: string) => ({
  relayHost: v.exactOptional(values.smtpHost()),
  port: v.optional(values.remotePort(), 25),
  fallback: v.optional(kinds.flag(), false),
  fallbackPorts: v.optional(kinds.table(fallbackPortsShape), {}),
  allowPrivateAddresses: v.optional(kinds.flag(), false),
  caFile: v.exactOptional(values.path(directory)),
  httpsPort: v.optional(values.remotePort(), 443),
  connectionsPerSite: v.exactOptional(kinds.count(1, 1000, 'connections')),
  concurrency: v.optional(kinds.count(1, 10_000, 'deliveries'), 200),
  scheduleTrace: v.exactOptional(values.path(directory)),
  permanentFailures: v.optional(kinds.oneOf('strict', 'careful', 'never'), 'careful'),
  // RFC 5321 §4.5.4.1: 30 minutes between attempts, sooner at first where there is a reason; at least 4 to 5 days in all.
  retryMinutes: v.optional(
    kinds.list(kinds.count(1, 10_080, 'minutes'), '[5, 15, 30, 60]'),
    [5, 15, 30, 60, 120, 240, 360],
  ),
  lifetimeHours: v.optional(kinds.count(1, 1000, 'hours'), 120),
  delayWarningHours: v.optional(kinds.count(0, 1000, 'hours'), 4),
  doubtMinutes: v.optional(kinds.count(0, 1440, 'minutes'), 10),
});

export const siteShape = {
  mx: v.optional(kinds.list(values.hostEnding(), '["google.com"]'), []),
  domains: v.optional(kinds.list(values.domainName(), '["example.org"]'), []),
  connections: v.exactOptional(kinds.count(1, 1000, 'connections')),
  messagesPerConnection: v.exactOptional(kinds.count(1, 100_000, 'messages')),
  messagesPerHour: v.exactOptional(kinds.count(1, 10_000_000, 'messages')),
  recipientsPerMessage: v.exactOptional(kinds.count(1, 1000, 'recipients')),
};
/** What belongs to which protocol is for `transport-checks.ts`, and so are defaults: here each key stands alone. */
export const transportShape = (directory: string) => ({
  domains: kinds.list(values.domainPattern(), '["example.net"]'),
  senders: v.exactOptional(kinds.list(values.senderPattern(), '["example.com"]')),
  protocol: kinds.oneOf('smtp', 'smtps', 'submission', 'lmtp', 'pipe', 'mx'),
  host: v.exactOptional(values.remoteHost()),
  port: v.exactOptional(values.remotePort()),
  socket: v.exactOptional(values.path(directory)),
  tls: v.exactOptional(kinds.oneOf('opportunistic', 'required', 'verified')),
  user: v.exactOptional(values.loginName()),
  passwordFile: v.exactOptional(values.secret(directory)),
  allowPlaintextAuth: v.exactOptional(kinds.flag()),
  command: v.exactOptional(kinds.list(values.commandWord(), '["/usr/local/bin/new-ticket"]')),
  timeoutSeconds: v.exactOptional(kinds.count(1, 86_400, 'seconds')),
  concurrency: v.exactOptional(kinds.count(1, 1000, 'processes')),
});

export const sourceShape = {
  address: values.sourceAddress(),
  publicAddress: v.exactOptional(values.sourceAddress()),
  ehloName: v.exactOptional(values.hostName()),
  senders: v.exactOptional(kinds.list(values.sender(), '["example.com"]')),
};

export const guardShape = {
  enabled: v.optional(kinds.flag(), true),
  blocklists: v.optional(kinds.list(values.domainName(), '["zen.spamhaus.org"]'), [
    'zen.spamhaus.org',
    'bl.spamcop.net',
    'psbl.surriel.com',
  ]),
};

/** Why so many, and so long: docs/decisions/0021. */
export const suppressionShape = {
  enabled: v.optional(kinds.flag(), true),
  failures: v.optional(kinds.count(1, 100, 'refusals'), 2),
  days: v.optional(kinds.count(1, 365, 'days'), 7),
};
