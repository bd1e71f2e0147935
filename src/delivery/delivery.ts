/** One attempt as it is ordered, and what came of it: what all ways out have in common. */

import type { DossierEvent, TlsPolicyFacts } from '../dossier/event.ts';
import type { JobRow } from '../store/job.ts';
import type { MessageRow } from '../store/message.ts';
import { octetsOf } from '../store/octets.ts';
import type { Outcome } from './outcome.ts';
import type { Fallback } from './route/fallback.ts';
import type { Route } from './route/route.ts';
import type { DomainPolicies, HostPolicy } from './tls/tls-policy.ts';

export interface Delivery {
  route: Route;
  /** By host. Those without one are opportunistic. */
  policies?: ReadonlyMap<string, HostPolicy>;
  /** What the configuration has TLS show, where that and no policy decides: for the dossier. */
  demanded?: TlsPolicyFacts;
  /** Of other domains that the jobs are for. */
  shared?: readonly DomainPolicies[];
  /** There are more hosts, which cannot be used now. */
  isIncomplete?: true;
  message: MessageRow;
  /** Begins to read prefix and content; called once per transaction. */
  content: () => Iterable<Buffer> | AsyncIterable<Buffer>;
  /** Never empty. */
  jobs: readonly JobRow[];
  /** Finds where to go when no host of the route could be connected to. */
  fallback?: Fallback | undefined;
  /** Ends the attempt; who has no answer by then is deferred, or in doubt. */
  signal?: AbortSignal;
}

export interface Sent {
  /** By job number; every job has one. */
  outcomes: Map<number, Outcome>;
  /** One `attempted` for each connection that was tried. */
  events: DossierEvent[];
}

/** A message, and how its octets are read. */
export const contentOf = (message: MessageRow): Pick<Delivery, 'message' | 'content'> => ({
  message,
  content: () => octetsOf([message.prefix], message.content),
});

/** The same for everybody, without asking anybody. */
export const toAll = (jobs: readonly JobRow[], outcome: Outcome): Sent => ({
  outcomes: new Map(jobs.map(({ number }) => [number, outcome])),
  events: [],
});
