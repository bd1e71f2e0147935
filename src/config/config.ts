/**
 * The configuration after validation: every default filled in, every path absolute, frozen. Parsed by `load.ts`. What a
 * table holds stands beside its shape, in the file of its kind.
 */

import type { Policy } from '../policy/policy.ts';
import type { AcmeConfig } from './acme.ts';
import type { FilterConfig } from './filter.ts';
import type { ListenerConfig } from './listeners.ts';
import type { AccountsConfig, ControlConfig, LoginConfig, OauthConfig, SendmailConfig } from './people.ts';
import type {
  AbuseConfig,
  ArcConfig,
  DomainConfig,
  DossierConfig,
  GreylistingConfig,
  LimitsConfig,
  ReportsConfig,
} from './receiving.ts';
import type {
  DeliveryConfig,
  GuardConfig,
  RelayConfig,
  SiteConfig,
  SourceConfig,
  SuppressionConfig,
} from './sending.ts';
import type { TransportConfig } from './transport.ts';
import type { WebConfig } from './web.ts';

/** Paths of PEM files that exist. */
export interface PairConfig {
  cert: string;
  key: string;
}

/** What is shown to whoever asks for no other name. Empty: one by ACME, or one that is signed by itself. */
export type TlsConfig = PairConfig | { cert?: never; key?: never };

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
