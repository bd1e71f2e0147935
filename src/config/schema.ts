/**
 * The shape of `posthorn.toml`: every key, its kind and its default. What must agree between keys is in
 * `cross-checks.ts`; what the file system must hold is in `files.ts`.
 */

import * as v from 'valibot';
import { acmeShape } from './acme.ts';
import type { ListenerConfig, Protocol } from './config.ts';
import * as values from './values.ts';
import { mtaStsShape, webShape } from './web.ts';

const protocols = [
  'smtp',
  'submission',
  'submissions',
  'lmtp',
  'pop3',
  'pop3s',
  'http',
  'https',
] as const satisfies readonly Protocol[];

/** IANA's ports; submissions and pop3s by RFC 8314 §7. */
export const standardPorts: Record<Protocol, number> = {
  smtp: 25,
  submission: 587,
  submissions: 465,
  lmtp: 24, // "any private mail system"
  pop3: 110,
  pop3s: 995,
  http: 80,
  https: 443,
};

const mib = 2 ** 20;

export const listenerShape = (directory: string) => ({
  protocol: values.oneOf(...protocols),
  address: v.optional(values.ipAddress(), '::'),
  port: v.exactOptional(values.listeningPort()),
  allowPlaintextAuth: v.optional(values.flag(), false),
  bareNewline: v.exactOptional(values.oneOf('reject', 'normalize')),
  proxyProtocol: v.exactOptional(values.list(values.proxyNetwork(), '["192.0.2.10"]')),
  socket: v.exactOptional(values.path(directory)),
  proxied: v.optional(values.flag(), false),
});

const dkimShape = (directory: string) => ({ selector: values.dkimSelector(), key: values.path(directory) });

const dkimExample = '{ selector = "posthorn", key = "dkim.pem" }';

export const domainShape = (directory: string) => ({
  name: values.domainName(),
  postmaster: v.exactOptional(values.mailAddress()),
  dkim: v.exactOptional(values.oneOrMany(values.table(dkimShape(directory)), dkimExample)),
  aliasOf: v.exactOptional(values.domainName()),
  tagSeparator: v.exactOptional(values.tagSeparator()),
  catchAll: v.exactOptional(values.mailAddress()),
  quotaBytes: v.exactOptional(values.count(1, 2 ** 50, 'bytes')),
  policy: v.exactOptional(values.policyName()),
  mtaSts: v.exactOptional(values.table(mtaStsShape)),
});

/** Both or none, as `certificate-checks.ts` sees to, and so below. */
export const tlsShape = (directory: string) => ({
  cert: v.exactOptional(values.path(directory)),
  key: v.exactOptional(values.path(directory)),
});

/** Files, or names: then it comes by ACME. */
export const certificateShape = (directory: string) => ({
  cert: v.exactOptional(values.path(directory)),
  key: v.exactOptional(values.path(directory)),
  names: v.exactOptional(values.list(values.certificateName(), '["mail.example.org"]')),
});

const relayShape = {
  trustedNetworks: v.optional(values.list(values.trustedNetwork(), '["192.0.2.0/24"]'), []),
};

const fallbackPortsShape = {
  submissions: v.optional(values.remotePort(), standardPorts.submissions),
  submission: v.optional(values.remotePort(), standardPorts.submission),
};

export const deliveryShape = (directory: string) => ({
  relayHost: v.exactOptional(values.smtpHost()),
  port: v.optional(values.remotePort(), 25),
  fallback: v.optional(values.flag(), false),
  fallbackPorts: v.optional(values.table(fallbackPortsShape), {}),
  allowPrivateAddresses: v.optional(values.flag(), false),
  caFile: v.exactOptional(values.path(directory)),
  httpsPort: v.optional(values.remotePort(), 443),
  connectionsPerSite: v.exactOptional(values.count(1, 1000, 'connections')),
  concurrency: v.optional(values.count(1, 10_000, 'deliveries'), 200),
  scheduleTrace: v.exactOptional(values.path(directory)),
  permanentFailures: v.optional(values.oneOf('strict', 'careful', 'never'), 'careful'),
  // RFC 5321 §4.5.4.1: 30 minutes between attempts, sooner at first where there is a reason; at least 4 to 5 days in all.
  retryMinutes: v.optional(
    values.list(values.count(1, 10_080, 'minutes'), '[5, 15, 30, 60]'),
    [5, 15, 30, 60, 120, 240, 360],
  ),
  lifetimeHours: v.optional(values.count(1, 1000, 'hours'), 120),
  delayWarningHours: v.optional(values.count(0, 1000, 'hours'), 4),
  doubtMinutes: v.optional(values.count(0, 1440, 'minutes'), 10),
});

export const siteShape = {
  mx: v.optional(values.list(values.hostEnding(), '["google.com"]'), []),
  domains: v.optional(values.list(values.domainName(), '["example.org"]'), []),
  connections: v.exactOptional(values.count(1, 1000, 'connections')),
  messagesPerConnection: v.exactOptional(values.count(1, 100_000, 'messages')),
  messagesPerHour: v.exactOptional(values.count(1, 10_000_000, 'messages')),
  recipientsPerMessage: v.exactOptional(values.count(1, 1000, 'recipients')),
};
/** What belongs to which protocol is for `transport-checks.ts`, and so are defaults: here each key stands alone. */
export const transportShape = (directory: string) => ({
  domains: values.list(values.domainPattern(), '["example.net"]'),
  senders: v.exactOptional(values.list(values.senderPattern(), '["example.com"]')),
  protocol: values.oneOf('smtp', 'smtps', 'submission', 'lmtp', 'pipe', 'mx'),
  host: v.exactOptional(values.remoteHost()),
  port: v.exactOptional(values.remotePort()),
  socket: v.exactOptional(values.path(directory)),
  tls: v.exactOptional(values.oneOf('opportunistic', 'required', 'verified')),
  user: v.exactOptional(values.loginName()),
  passwordFile: v.exactOptional(values.secret(directory)),
  allowPlaintextAuth: v.exactOptional(values.flag()),
  command: v.exactOptional(values.list(values.commandWord(), '["/usr/local/bin/new-ticket"]')),
  timeoutSeconds: v.exactOptional(values.count(1, 86_400, 'seconds')),
  concurrency: v.exactOptional(values.count(1, 1000, 'processes')),
});

/** What must agree is for `filter-checks.ts`, and so are defaults: they are not the same for each kind. */
export const filterShape = (directory: string) => ({
  kind: values.oneOf('milter', 'rspamd', 'clamd'),
  name: v.exactOptional(values.label()),
  host: v.exactOptional(values.remoteHost()),
  port: v.exactOptional(values.remotePort()),
  socket: v.exactOptional(values.path(directory)),
  timeoutSeconds: v.exactOptional(values.count(1, 600, 'seconds')),
  totalSeconds: v.exactOptional(values.count(1, 600, 'seconds')),
  maxBytes: v.exactOptional(values.count(1024, 2 ** 31, 'bytes')),
  whenDown: v.exactOptional(values.oneOf('accept', 'defer')),
  submission: v.exactOptional(values.flag()),
});

export const sourceShape = {
  address: values.sourceAddress(),
  publicAddress: v.exactOptional(values.sourceAddress()),
  ehloName: v.exactOptional(values.hostName()),
  senders: v.exactOptional(values.list(values.sender(), '["example.com"]')),
};

export const checkShape = {
  when: values.condition(),
  // biome-ignore lint/suspicious/noThenProperty: a key of the file, in a plain table that nobody awaits
  then: values.oneOf('accept', 'junk', 'greylist', 'reject', 'score'),
  score: v.exactOptional(values.number(-1000, 1000, 'Give a number such as 2.5, without quotes.')),
};

export const policyShape = {
  name: values.policyName(),
  junkAt: v.exactOptional(values.number(0, 1000, 'Give a number such as 5, without quotes.')),
  rejectAt: v.exactOptional(values.number(0, 1000, 'Give a number such as 15, without quotes.')),
  builtin: v.optional(values.flag(), true),
  block: v.exactOptional(values.list(values.senderGlob(), '["*@example.org"]')),
  allow: v.exactOptional(values.list(values.senderGlob(), '["*@example.org"]')),
  checks: v.optional(
    values.list(values.table(checkShape), '[{ when = "spf:fail", then = "score", score = 2 }]'),
    [],
  ),
};

const guardShape = {
  enabled: v.optional(values.flag(), true),
  blocklists: v.optional(values.list(values.domainName(), '["zen.spamhaus.org"]'), [
    'zen.spamhaus.org',
    'bl.spamcop.net',
    'psbl.surriel.com',
  ]),
};

const sendmailSenderShape = {
  user: values.userName(),
  as: values.list(values.sender(), '["shop@example.com"]'),
};

const sendmailShape = {
  enabled: v.optional(values.flag(), false),
  domain: v.exactOptional(values.domainName()),
  trusted: v.optional(values.list(values.userName(), '["root"]'), ['root']),
  senders: v.optional(
    values.list(values.table(sendmailSenderShape), '[{ user = "www-data", as = ["shop@example.com"] }]'),
    [],
  ),
  hourlyMessages: v.optional(values.count(1, 1_000_000, 'messages'), 1000),
  hourlyMegabytes: v.optional(values.count(1, 1_000_000, 'megabytes'), 500),
};

export const greylistingShape = {
  // Minutes (RFC 6647), so that a real server's next attempt comes after them, and a spammer's does not come at all.
  minutes: v.optional(values.number(0, 1440, 'Give a number of minutes, without quotes, such as 5.'), 5),
  windowHours: v.optional(values.count(1, 240, 'hours'), 24),
  days: v.optional(values.count(1, 365, 'days'), 35),
  passes: v.optional(values.count(1, 100, 'recipients'), 3),
};

const limitsShape = {
  messageBytes: v.optional(values.count(1024, 2 ** 31, 'bytes'), 50 * mib),
  headerBytes: v.optional(values.count(1024, 16 * mib, 'bytes'), mib / 4),
  // RFC 5321 §4.5.3.1.8 asks for at least 100.
  recipients: v.optional(values.count(1, 100_000, 'recipients'), 1000),
  commands: v.optional(values.count(1, 1_000_000, 'commands'), 10_000),
  sessions: v.optional(values.count(1, 100_000, 'sessions'), 1000),
  sessionsPerAddress: v.optional(values.count(1, 100_000, 'sessions'), 100),
  // RFC 4865: how long our users may have their mail held.
  holdDays: v.optional(values.count(0, 365, 'days'), 30),
  // SMTP servers wait 5 minutes at least (RFC 5321 §4.5.3.2.7), POP3 servers 10 (RFC 1939 §3).
  idleSeconds: v.optional(values.count(1, 86_400, 'seconds'), 600),
  // A client waits 5 minutes for the greeting (RFC 5321 §4.5.3.2.1).
  greetingDelayMs: v.optional(values.count(0, 60_000, 'milliseconds'), 0),
  sessionSeconds: v.optional(values.count(1, 604_800, 'seconds'), 7200),
};

export const abuseShape = {
  exempt: v.optional(values.list(values.network(), '["192.0.2.0/24"]'), ['127.0.0.0/8', '::1/128']),
  connectionsPerMinute: v.optional(values.count(0, 1_000_000, 'connections'), 300),
  authFailures: v.optional(values.count(0, 100_000, 'failed logins'), 10),
  accountAuthFailures: v.optional(values.count(0, 1_000_000, 'failed logins'), 50),
  badRecipients: v.optional(values.count(0, 1_000_000, 'recipients'), 50),
  badCommands: v.optional(values.count(0, 1_000_000, 'commands'), 100),
  networkFactor: v.optional(values.count(1, 1000, 'clients'), 5),
  banMinutes: v.optional(values.count(1, 525_600, 'minutes'), 15),
  banMaxHours: v.optional(values.count(1, 8760, 'hours'), 24),
  hourlyRecipients: v.optional(values.count(0, 10_000_000, 'recipients'), 50),
};

const controlShape = (directory: string) => ({
  directory: v.optional(values.path(directory), '/run/posthorn'),
  operators: v.exactOptional(values.groupName()),
  viewers: v.exactOptional(values.groupName()),
});

const accountsShape = {
  graceDays: v.optional(values.count(0, 3650, 'days'), 14),
};

const loginShape = {
  scram: v.optional(values.oneOf('auto', 'always', 'never'), 'auto'),
};

export const introspectionShape = (directory: string) => ({
  url: values.httpsUrl(),
  clientId: values.clientId(),
  clientSecretFile: values.secret(directory),
});

export const oauthShape = (directory: string) => ({
  issuer: values.httpsUrl(),
  audience: values.audience(),
  scopes: v.optional(values.list(values.scope(), '["mail"]'), []),
  claim: v.optional(values.claim(), 'email'),
  introspection: v.exactOptional(values.table(introspectionShape(directory))),
});

const dossierShape = {
  enabled: v.optional(values.flag(), true),
  days: v.optional(values.count(1, 3650, 'days'), 30),
  bytes: v.optional(values.count(mib, 2 ** 50, 'bytes'), 1024 * mib),
};

export const reportsShape = {
  tls: v.optional(values.flag(), true),
  dmarc: v.optional(values.flag(), false),
  dmarcExcept: v.optional(values.list(values.domainName(), '["example.com"]'), []),
  organization: v.exactOptional(values.oneLine()),
  contact: v.exactOptional(values.mailAddress()),
  abuse: v.optional(values.flag(), false),
  read: v.optional(values.flag(), true),
  mailboxes: v.optional(values.list(values.mailAddress(), '["dmarc@example.com"]'), []),
  days: v.optional(values.count(1, 3650, 'days'), 180),
};

export const arcShape = {
  seal: v.optional(values.flag(), false),
  trustedSealers: v.optional(values.list(values.domainName(), '["lists.example.org"]'), []),
};

/** Why so many, and so long: docs/decisions/0021. */
const suppressionShape = {
  enabled: v.optional(values.flag(), true),
  failures: v.optional(values.count(1, 100, 'refusals'), 2),
  days: v.optional(values.count(1, 365, 'days'), 7),
};

type ListenerInput = v.InferOutput<v.ObjectSchema<ReturnType<typeof listenerShape>, undefined>>;

/** Mail from outside with bare CR or LF is refused (CVE-2023-51764); our own users' programs are helped. */
function completeListener({ port, bareNewline, ...rest }: ListenerInput): ListenerConfig {
  const isSubmission = rest.protocol === 'submission' || rest.protocol === 'submissions';
  return {
    ...rest,
    port: port ?? standardPorts[rest.protocol],
    bareNewline: bareNewline ?? (isSubmission ? 'normalize' : 'reject'),
  };
}

const listenerSchema = (directory: string) =>
  v.pipe(values.table(listenerShape(directory)), v.transform(completeListener));
const domainSchema = (directory: string) => values.table(domainShape(directory));
const deliverySchema = (directory: string) => values.table(deliveryShape(directory));
const transportSchema = (directory: string) => values.table(transportShape(directory));
const filterSchema = (directory: string) => values.table(filterShape(directory));
const tlsSchema = (directory: string) => values.table(tlsShape(directory));
const certificateSchema = (directory: string) => values.table(certificateShape(directory));

/** `directory` is where the file lies: relative paths begin there. */
const fileShape = (directory: string) => ({
  hostname: values.hostName(),
  dataDir: v.optional(values.path(directory), './data'),
  resolver: v.optional(values.list(values.dnsServer(), '["127.0.0.1"]'), []),
  listener: v.optional(v.array(listenerSchema(directory)), []),
  tls: v.exactOptional(tlsSchema(directory)),
  certificate: v.optional(v.array(certificateSchema(directory)), []),
  acme: v.exactOptional(values.table(acmeShape(directory))),
  domain: v.optional(v.array(domainSchema(directory)), []),
  policy: v.optional(v.array(values.table(policyShape)), []),
  transport: v.optional(v.array(transportSchema(directory)), []),
  relay: v.optional(values.table(relayShape), {}),
  delivery: v.optional(deliverySchema(directory), {}),
  filter: v.optional(v.array(filterSchema(directory)), []),
  site: v.optional(v.array(values.table(siteShape)), []),
  source: v.optional(v.array(values.table(sourceShape)), []),
  guard: v.optional(values.table(guardShape), {}),
  sendmail: v.optional(values.table(sendmailShape), {}),
  greylisting: v.optional(values.table(greylistingShape), {}),
  limits: v.optional(values.table(limitsShape), {}),
  abuse: v.optional(values.table(abuseShape), {}),
  control: v.optional(values.table(controlShape(directory)), {}),
  accounts: v.optional(values.table(accountsShape), {}),
  login: v.optional(values.table(loginShape), {}),
  oauth: v.exactOptional(values.table(oauthShape(directory))),
  dossier: v.optional(values.table(dossierShape), {}),
  reports: v.optional(values.table(reportsShape), {}),
  suppression: v.optional(values.table(suppressionShape), {}),
  arc: v.optional(values.table(arcShape), {}),
  web: v.optional(values.table(webShape(directory)), {}),
});

export const fileSchema = (directory: string) => values.table(fileShape(directory));

export type FileContent = v.InferOutput<ReturnType<typeof fileSchema>>;

/** Every table, by its path without list indexes; '' is the top of the file. */
export const shapes: ReadonlyMap<string, v.ObjectEntries> = new Map<string, v.ObjectEntries>([
  ['', fileShape('')],
  ['listener', listenerShape('')],
  ['tls', tlsShape('')],
  ['certificate', certificateShape('')],
  ['acme', acmeShape('')],
  ['domain', domainShape('')],
  ['domain.dkim', dkimShape('')],
  ['domain.mtaSts', mtaStsShape],
  ['policy', policyShape],
  ['policy.checks', checkShape],
  ['transport', transportShape('')],
  ['filter', filterShape('')],
  ['relay', relayShape],
  ['delivery', deliveryShape('')],
  ['delivery.fallbackPorts', fallbackPortsShape],
  ['site', siteShape],
  ['source', sourceShape],
  ['guard', guardShape],
  ['sendmail', sendmailShape],
  ['sendmail.senders', sendmailSenderShape],
  ['limits', limitsShape],
  ['abuse', abuseShape],
  ['control', controlShape('')],
  ['accounts', accountsShape],
  ['login', loginShape],
  ['oauth', oauthShape('')],
  ['oauth.introspection', introspectionShape('')],
  ['dossier', dossierShape],
  ['reports', reportsShape],
  ['suppression', suppressionShape],
  ['greylisting', greylistingShape],
  ['arc', arcShape],
  ['web', webShape('')],
]);

/** The keys of every table. For suggestions. */
export const knownKeys: ReadonlyMap<string, readonly string[]> = new Map(
  [...shapes].map(([table, shape]) => [table, Object.keys(shape)]),
);
