/** The tables about mail that comes in: domains, policies, filters, limits, and what is told of it. */

import * as v from 'valibot';
import * as kinds from './kinds.ts';
import * as values from './values.ts';
import type { MtaStsConfig } from './web.ts';
import { mtaStsShape } from './web.ts';

export const mib = 2 ** 20;

export interface DkimConfig {
  selector: string;
  /** Path of the private key, PEM. */
  key: string;
}

export const dkimShape = (directory: string) => ({
  selector: values.dkimSelector(),
  key: values.path(directory),
});

const dkimExample = '{ selector = "posthorn", key = "dkim.pem" }';

export interface DomainConfig {
  /** A-labels, lower-case. */
  name: string;
  /** Who reads postmaster@ and abuse@, as `addressKey()` of mail/ writes it; default: the domain's first account. */
  postmaster?: string;
  /** Each of them signs; never empty. */
  dkim?: readonly DkimConfig[];
  /** A domain of ours: every address here is the same address there. What is below is then as that one has it. */
  aliasOf?: string;
  /** Between a user and a tag; '' for no tags. Default: `+`. */
  tagSeparator?: string;
  /** Who gets the mail for addresses that nobody has, as `addressKey()` writes it; default: it is refused. */
  catchAll?: string;
  /** Octets of mail that each account may hold where nothing is set for it; default: any number. */
  quotaBytes?: number;
  /** Name of the policy for what comes in. Default: that of the name "default". */
  policy?: string;
  /** What its MTA-STS policy says. Default: that of the domain it stands for, else as `web.ts` has it. */
  mtaSts?: MtaStsConfig;
}

export const domainShape = (directory: string) => ({
  name: values.domainName(),
  postmaster: v.exactOptional(values.mailAddress()),
  dkim: v.exactOptional(kinds.oneOrMany(kinds.table(dkimShape(directory)), dkimExample)),
  aliasOf: v.exactOptional(values.domainName()),
  tagSeparator: v.exactOptional(values.tagSeparator()),
  catchAll: v.exactOptional(values.mailAddress()),
  quotaBytes: v.exactOptional(kinds.count(1, 2 ** 50, 'bytes')),
  policy: v.exactOptional(values.policyName()),
  mtaSts: v.exactOptional(kinds.table(mtaStsShape)),
});

/** What must agree is for `filter-checks.ts`, and so are defaults: they are not the same for each kind. */
export const filterShape = (directory: string) => ({
  kind: kinds.oneOf('milter', 'rspamd', 'clamd'),
  name: v.exactOptional(values.label()),
  host: v.exactOptional(values.remoteHost()),
  port: v.exactOptional(values.remotePort()),
  socket: v.exactOptional(values.path(directory)),
  timeoutSeconds: v.exactOptional(kinds.count(1, 600, 'seconds')),
  totalSeconds: v.exactOptional(kinds.count(1, 600, 'seconds')),
  maxBytes: v.exactOptional(kinds.count(1024, 2 ** 31, 'bytes')),
  whenDown: v.exactOptional(kinds.oneOf('accept', 'defer')),
  submission: v.exactOptional(kinds.flag()),
});

export const checkShape = {
  when: values.condition(),
  // biome-ignore lint/suspicious/noThenProperty: a key of the file, in a plain table that nobody awaits
  then: kinds.oneOf('accept', 'junk', 'greylist', 'reject', 'score'),
  score: v.exactOptional(kinds.number(-1000, 1000, 'Give a number such as 2.5, without quotes.')),
};

export const policyShape = {
  name: values.policyName(),
  junkAt: v.exactOptional(kinds.number(0, 1000, 'Give a number such as 5, without quotes.')),
  rejectAt: v.exactOptional(kinds.number(0, 1000, 'Give a number such as 15, without quotes.')),
  builtin: v.optional(kinds.flag(), true),
  block: v.exactOptional(kinds.list(values.senderGlob(), '["*@example.org"]')),
  allow: v.exactOptional(kinds.list(values.senderGlob(), '["*@example.org"]')),
  checks: v.optional(
    kinds.list(kinds.table(checkShape), '[{ when = "spf:fail", then = "score", score = 2 }]'),
    [],
  ),
};

/** For policies with a check that greylists; without one, nobody waits. */
export interface GreylistingConfig {
  /** Who is not known is to come again after so long. */
  minutes: number;
  /** … and before so long is over, or it counts as the first time again. */
  windowHours: number;
  /** What has passed is forgotten so long after it came last. */
  days: number;
  /** After so many recipients, a network from which a domain sends waits no more. */
  passes: number;
}

export const greylistingShape = {
  // Minutes (RFC 6647), so that a real server's next attempt comes after them, and a spammer's does not come at all.
  minutes: v.optional(kinds.number(0, 1440, 'Give a number of minutes, without quotes, such as 5.'), 5),
  windowHours: v.optional(kinds.count(1, 240, 'hours'), 24),
  days: v.optional(kinds.count(1, 365, 'days'), 35),
  passes: v.optional(kinds.count(1, 100, 'recipients'), 3),
};

export interface LimitsConfig {
  messageBytes: number;
  /** Header section of one message, octets. */
  headerBytes: number;
  /** RCPTs in one transaction; the rest gets 452 4.5.3 (RFC 5321 §4.5.3.1.10). */
  recipients: number;
  /** Commands in one session that are not part of an accepted transaction. */
  commands: number;
  /** Sessions at once, on all listeners together. */
  sessions: number;
  /** Sessions at once from one address; trusted networks are exempt. */
  sessionsPerAddress: number;
  /** Our users' mail is held for so many days at most, if they want that (RFC 4865); 0: never. */
  holdDays: number;
  /** A session without a byte from the client for this long ends. */
  idleMs: number;
  /** Strangers are greeted so much later on port 25: who does not wait for it is an early talker. */
  greetingDelayMs: number;
  /** A session never lasts longer than this. */
  sessionMs: number;
}

export const limitsShape = {
  messageBytes: v.optional(kinds.count(1024, 2 ** 31, 'bytes'), 50 * mib),
  headerBytes: v.optional(kinds.count(1024, 16 * mib, 'bytes'), mib / 4),
  // RFC 5321 §4.5.3.1.8 asks for at least 100.
  recipients: v.optional(kinds.count(1, 100_000, 'recipients'), 1000),
  commands: v.optional(kinds.count(1, 1_000_000, 'commands'), 10_000),
  sessions: v.optional(kinds.count(1, 100_000, 'sessions'), 1000),
  sessionsPerAddress: v.optional(kinds.count(1, 100_000, 'sessions'), 100),
  // RFC 4865: how long our users may have their mail held.
  holdDays: v.optional(kinds.count(0, 365, 'days'), 30),
  // SMTP servers wait 5 minutes at least (RFC 5321 §4.5.3.2.7), POP3 servers 10 (RFC 1939 §3).
  idleSeconds: v.optional(kinds.count(1, 86_400, 'seconds'), 600),
  // A client waits 5 minutes for the greeting (RFC 5321 §4.5.3.2.1).
  greetingDelayMs: v.optional(kinds.count(0, 60_000, 'milliseconds'), 0),
  sessionSeconds: v.optional(kinds.count(1, 604_800, 'seconds'), 7200),
};

/** Of clients: each is an IPv4 address or an IPv6 /64. 0 is no limit. */
export interface AbuseConfig {
  /** Networks of which no offence is counted, nor how fast they come, besides the trusted ones. */
  exempt: readonly string[];
  connectionsPerMinute: number;
  /** Within an hour, and so on. */
  authFailures: number;
  /** Failed logins of one account from everywhere. */
  accountAuthFailures: number;
  badRecipients: number;
  badCommands: number;
  /** A network, IPv4 /24 or IPv6 /48, may do so many times as much as one client of it. */
  networkFactor: number;
  /** How long a first ban lasts, and the longest. */
  banMinutes: number;
  banMaxHours: number;
  /** Recipients of one user within an hour, before it is compared with what is usual of them. */
  hourlyRecipients: number;
}

export const abuseShape = {
  exempt: v.optional(kinds.list(values.network(), '["192.0.2.0/24"]'), ['127.0.0.0/8', '::1/128']),
  connectionsPerMinute: v.optional(kinds.count(0, 1_000_000, 'connections'), 300),
  authFailures: v.optional(kinds.count(0, 100_000, 'failed logins'), 10),
  accountAuthFailures: v.optional(kinds.count(0, 1_000_000, 'failed logins'), 50),
  badRecipients: v.optional(kinds.count(0, 1_000_000, 'recipients'), 50),
  badCommands: v.optional(kinds.count(0, 1_000_000, 'commands'), 100),
  networkFactor: v.optional(kinds.count(1, 1000, 'clients'), 5),
  banMinutes: v.optional(kinds.count(1, 525_600, 'minutes'), 15),
  banMaxHours: v.optional(kinds.count(1, 8760, 'hours'), 24),
  hourlyRecipients: v.optional(kinds.count(0, 10_000_000, 'recipients'), 50),
};

export interface DossierConfig {
  enabled: boolean;
  days: number;
  bytes: number;
}

export const dossierShape = {
  enabled: v.optional(kinds.flag(), true),
  days: v.optional(kinds.count(1, 3650, 'days'), 30),
  bytes: v.optional(kinds.count(mib, 2 ** 50, 'bytes'), 1024 * mib),
};

export interface ReportsConfig {
  /** Our users' mail says where complaints of it are to go (RFC 9477). */
  abuse: boolean;
  /** Reports that others send us are read. */
  read: boolean;
  /** Addresses of ours at which they arrive, as `addressKey()` writes them, besides those that our DNS records name. */
  mailboxes: readonly string[];
  /** What was read is kept for so many days. */
  days: number;
  /** TLS reports (RFC 8460) go to the domains that ask for them. */
  tls: boolean;
  /** DMARC aggregate reports (RFC 9990) go to the domains that ask for them. */
  dmarc: boolean;
  /** But to these and those below them, in A-labels. */
  dmarcExcept: readonly string[];
  /** Who reports, for people; default: the domain of `contact`. */
  organization?: string;
  /** Who answers questions, and the reports' From; default: postmaster@ the first domain with a DKIM key. */
  contact?: string;
}

export const reportsShape = {
  tls: v.optional(kinds.flag(), true),
  dmarc: v.optional(kinds.flag(), false),
  dmarcExcept: v.optional(kinds.list(values.domainName(), '["example.com"]'), []),
  organization: v.exactOptional(values.oneLine()),
  contact: v.exactOptional(values.mailAddress()),
  abuse: v.optional(kinds.flag(), false),
  read: v.optional(kinds.flag(), true),
  mailboxes: v.optional(kinds.list(values.mailAddress(), '["dmarc@example.com"]'), []),
  days: v.optional(kinds.count(1, 3650, 'days'), 180),
};

export interface ArcConfig {
  /** Mail that is forwarded gets an ARC set, by the DKIM key of the domain that forwards it. */
  seal: boolean;
  /** Domains whose seals are believed, as A-labels; empty: nobody's. */
  trustedSealers: readonly string[];
}

export const arcShape = {
  seal: v.optional(kinds.flag(), false),
  trustedSealers: v.optional(kinds.list(values.domainName(), '["lists.example.org"]'), []),
};
