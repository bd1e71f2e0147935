/** The tables about mail that comes in: domains, policies, filters, limits, and what is told of it. */

import * as v from 'valibot';
import * as kinds from './kinds.ts';
import * as values from './values.ts';
import { mtaStsShape } from './web.ts';

export const mib = 2 ** 20;

export const dkimShape = (directory: string) => ({
  selector: values.dkimSelector(),
  key: values.path(directory),
});

const dkimExample = '{ selector = "posthorn", key = "dkim.pem" }';

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

export const greylistingShape = {
  // Minutes (RFC 6647), so that a real server's next attempt comes after them, and a spammer's does not come at all.
  minutes: v.optional(kinds.number(0, 1440, 'Give a number of minutes, without quotes, such as 5.'), 5),
  windowHours: v.optional(kinds.count(1, 240, 'hours'), 24),
  days: v.optional(kinds.count(1, 365, 'days'), 35),
  passes: v.optional(kinds.count(1, 100, 'recipients'), 3),
};

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

export const dossierShape = {
  enabled: v.optional(kinds.flag(), true),
  days: v.optional(kinds.count(1, 3650, 'days'), 30),
  bytes: v.optional(kinds.count(mib, 2 ** 50, 'bytes'), 1024 * mib),
};

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

export const arcShape = {
  seal: v.optional(kinds.flag(), false),
  trustedSealers: v.optional(kinds.list(values.domainName(), '["lists.example.org"]'), []),
};
