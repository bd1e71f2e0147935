/** What a simulation plays: receivers that behave as scripted, mail for each, and a server's settings. Plain data. */

import type { DeliveryConfig, SiteConfig } from '../config/sending.ts';
import type { Reply } from '../smtp/reply.ts';

export interface Scenario {
  /** The same seed plays the same way. */
  seed: number;
  /** Ends then, if not all has arrived before. */
  lengthMs: number;
  delivery: Pick<
    DeliveryConfig,
    | 'concurrency'
    | 'connectionsPerSite'
    | 'permanentFailures'
    | 'retryMinutes'
    | 'lifetimeHours'
    | 'delayWarningHours'
    | 'doubtMinutes'
  >;
  sites: readonly SiteConfig[];
  receivers: readonly ReceiverScript[];
}

export interface ReceiverScript {
  domain: string;
  /** Names of its MX hosts: receivers with the same ones are one site. Never empty. */
  mx: readonly string[];
  /** Messages that wait at the beginning. */
  queued: number;
  /** And that come in, for `arrivalsMs`. */
  perMinute: number;
  arrivalsMs: number;
  /** Who send them by turns. */
  senders: number;
  /** How long an attempt takes, more or less. */
  latencyMs: number;
  /** Connections at once; more are told `421`. */
  connections?: number;
  /** Messages in a minute; more are told `421 4.7.28`. */
  messagesPerMinute?: number;
  /** A message is refused with `451 4.7.1` until so long after its first attempt. */
  greylistMs: number;
  phases: readonly ReceiverPhase[];
}

/** For a time, it is otherwise. Where several are true at once, the first counts. */
export interface ReceiverPhase {
  fromMs: number;
  untilMs: number;
  /** It refuses connections, or does not answer; or it answers everything so; or it is only slower, or faster. */
  does: 'refuses' | 'silent' | Reply | { latencyMs: number };
}
