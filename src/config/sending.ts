/** The tables about mail that goes out: routes, pace, addresses to send from. */

import * as v from 'valibot';
import * as kinds from './kinds.ts';
import { standardPorts } from './listeners.ts';
import * as values from './values.ts';

export interface RelayConfig {
  /** CIDR blocks that may relay without AUTH and skip sender checks and rate limits. */
  trustedNetworks: readonly string[];
}

export const relayShape = {
  trustedNetworks: v.optional(kinds.list(values.trustedNetwork(), '["192.0.2.0/24"]'), []),
};

export const fallbackPortsShape = {
  submissions: v.optional(values.remotePort(), standardPorts.submissions),
  submission: v.optional(values.remotePort(), standardPorts.submission),
};

export interface DeliveryConfig {
  /** Port of the MX hosts. */
  port: number;
  /** Where no MX host can be connected to: the domain itself, then other ports. */
  fallback: boolean;
  fallbackPorts: { submissions: number; submission: number };
  /** MX hosts at loopback or private addresses may be used. */
  allowPrivateAddresses: boolean;
  /** PEM file of certificate authorities trusted besides the system's, for outbound verification. */
  caFile?: string;
  /** Port of the web servers that serve MTA-STS policies. */
  httpsPort: number;
  /** Connections at once to one receiving site, at most. Default: as `delivery/route/site-limits.ts` has it. */
  connectionsPerSite?: number;
  /** A file that takes down what the scheduler does, from the start of the server. */
  scheduleTrace?: string;
  /** Deliveries at once, local and remote together. */
  concurrency: number;
  /** What a 5xx means: final, final but for what may heal, or never final. */
  permanentFailures: 'strict' | 'careful' | 'never';
  /** Waits after the first, second … attempt; the last one repeats. Never empty. */
  retryMinutes: readonly number[];
  /** A message is given up this long after it was accepted. */
  lifetimeHours: number;
  /** The sender is told of a delay once, after this long; 0: never. */
  delayWarningHours: number;
  /** An attempt of which nobody knows whether it succeeded is not repeated before this. */
  doubtMinutes: number;
}

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

/** Limits of one receiving site: all domains whose MX hosts' names end so, or these domains. */
export interface SiteConfig {
  mx: readonly string[];
  domains: readonly string[];
  connections?: number;
  messagesPerConnection?: number;
  messagesPerHour?: number;
  recipientsPerMessage?: number;
}

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

export interface SourceConfig {
  /** Of this machine, canonical. */
  address: string;
  /** What receivers see instead, behind a translator of addresses. */
  publicAddress?: string;
  /** Default: the hostname. */
  ehloName?: string;
  /** Addresses, as `addressKey()` writes them, and domains whose mail it sends; empty: everybody's who has no other. */
  senders: readonly string[];
}

export const sourceShape = {
  address: values.sourceAddress(),
  publicAddress: v.exactOptional(values.sourceAddress()),
  ehloName: v.exactOptional(values.hostName()),
  senders: v.exactOptional(kinds.list(values.sender(), '["example.com"]')),
};

export interface GuardConfig {
  /** Look at the addresses that we send from. */
  enabled: boolean;
  /** DNS zones of block lists. */
  blocklists: readonly string[];
}

export const guardShape = {
  enabled: v.optional(kinds.flag(), true),
  blocklists: v.optional(kinds.list(values.domainName(), '["zen.spamhaus.org"]'), [
    'zen.spamhaus.org',
    'bl.spamcop.net',
    'psbl.surriel.com',
  ]),
};

export interface SuppressionConfig {
  /** Our users' mail is refused for addresses that nobody has, as their servers have said. */
  enabled: boolean;
  /** Refusals for good, an hour apart at least, until then. */
  failures: number;
  /** At most for so long. */
  days: number;
}

/** Why so many, and so long: docs/decisions/0021. */
export const suppressionShape = {
  enabled: v.optional(kinds.flag(), true),
  failures: v.optional(kinds.count(1, 100, 'refusals'), 2),
  days: v.optional(kinds.count(1, 365, 'days'), 7),
};
