/** The configuration after validation: every default filled in, every path absolute, frozen. Parsed by `load.ts`. */

import type { Policy } from '../policy/policy.ts';
import type { AcmeConfig } from './acme.ts';
import type { FilterConfig } from './filter.ts';
import type { SecretSource } from './secret.ts';
import type { TransportConfig } from './transport.ts';
import type { MtaStsConfig, WebConfig } from './web.ts';

export type Protocol = 'smtp' | 'submission' | 'submissions' | 'lmtp' | 'pop3' | 'pop3s' | 'http' | 'https';

export interface ListenerConfig {
  protocol: Protocol;
  address: string;
  /** 0 lets the system choose (tests). */
  port: number;
  /** LMTP only: the path of a Unix socket, in the place of address and port. */
  socket?: string;
  /** POP3 without TLS may authenticate; only for tests and loopback. */
  allowPlaintextAuth: boolean;
  /** What a bare CR or LF in message data gets. Default: "reject" on smtp, "normalize" on submission. */
  bareNewline: 'reject' | 'normalize';
  /** CIDR blocks of the proxies by which alone clients come here, with a PROXY header; absent: directly. */
  proxyProtocol?: readonly string[];
  /** HTTP only: it is for the web servers in front (`[web] proxies`), and serves what HTTPS does. */
  proxied: boolean;
}

/** Paths of PEM files that exist. */
export interface PairConfig {
  cert: string;
  key: string;
}

/** What is shown to whoever asks for no other name. Empty: one by ACME, or one that is signed by itself. */
export type TlsConfig = PairConfig | { cert?: never; key?: never };

export interface DkimConfig {
  selector: string;
  /** Path of the private key, PEM. */
  key: string;
}

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

export interface RelayConfig {
  /** CIDR blocks that may relay without AUTH and skip sender checks and rate limits. */
  trustedNetworks: readonly string[];
}

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

/** Limits of one receiving site: all domains whose MX hosts' names end so, or these domains. */
export interface SiteConfig {
  mx: readonly string[];
  domains: readonly string[];
  connections?: number;
  messagesPerConnection?: number;
  messagesPerHour?: number;
  recipientsPerMessage?: number;
}

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

export interface GuardConfig {
  /** Look at the addresses that we send from. */
  enabled: boolean;
  /** DNS zones of block lists. */
  blocklists: readonly string[];
}

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

/** Who besides the server's own user may use its control sockets: names or numbers of groups. */
export interface ControlConfig {
  /** Where their sockets are. */
  directory: string;
  operators?: string;
  viewers?: string;
}

export interface AccountsConfig {
  /** An account that was removed is kept for so long, and can be restored. */
  graceDays: number;
}

export interface LoginConfig {
  /** SCRAM-SHA-256 is offered: once every account has keys for it, at once, or never. */
  scram: 'auto' | 'always' | 'never';
}

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

export interface DossierConfig {
  enabled: boolean;
  days: number;
  bytes: number;
}

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

export interface ArcConfig {
  /** Mail that is forwarded gets an ARC set, by the DKIM key of the domain that forwards it. */
  seal: boolean;
  /** Domains whose seals are believed, as A-labels; empty: nobody's. */
  trustedSealers: readonly string[];
}

export interface SuppressionConfig {
  /** Our users' mail is refused for addresses that nobody has, as their servers have said. */
  enabled: boolean;
  /** Refusals for good, an hour apart at least, until then. */
  failures: number;
  /** At most for so long. */
  days: number;
}

export interface Config {
  /** The file it came from. */
  file: string;
  hostname: string;
  dataDir: string;
  /** `address:port`, tried in order; empty: the system's. */
  resolver: readonly { address: string; port: number }[];
  listeners: readonly ListenerConfig[];
  /** Absent, and no certificates either: there is no TLS. */
  tls?: TlsConfig;
  /** Shown to whoever asks for one of the names in them. */
  certificates: readonly PairConfig[];
  /** Names of each further certificate that comes by ACME. */
  issuedNames: readonly (readonly string[])[];
  acme?: AcmeConfig;
  domains: readonly DomainConfig[];
  /** What is done with mail from outside; one named "default" takes the place of the built-in one. */
  policies: readonly Policy[];
  /** With the one that `[delivery] relayHost` stands for. */
  transports: readonly TransportConfig[];
  /** In the order in which milters are asked. */
  filters: readonly FilterConfig[];
  relay: RelayConfig;
  delivery: DeliveryConfig;
  sites: readonly SiteConfig[];
  /** Empty: the system chooses. */
  sources: readonly SourceConfig[];
  guard: GuardConfig;
  sendmail: SendmailConfig;
  greylisting: GreylistingConfig;
  limits: LimitsConfig;
  abuse: AbuseConfig;
  accounts: AccountsConfig;
  control: ControlConfig;
  login: LoginConfig;
  /** Absent: no tokens are taken. */
  oauth?: OauthConfig;
  dossier: DossierConfig;
  reports: ReportsConfig;
  suppression: SuppressionConfig;
  arc: ArcConfig;
  web: WebConfig;
}
