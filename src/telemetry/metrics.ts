/** The metrics of a server, as Prometheus reads them: https://prometheus.io/docs/instrumenting/exposition_formats/. */

import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { DossierEvent } from '../dossier/event.ts';
import type { EventRow } from '../store/event-store.ts';
import { messageMetrics } from './message-metrics.ts';
import { type NetworkMetrics, networkMetrics } from './network-metrics.ts';
import { type Sessions, type StateParts, sessionMetrics, stateMetrics } from './state-metrics.ts';
import type { StoreWatch } from './watched-store.ts';

/** In seconds: a commit is one sync of the disk, shared by many messages. */
const commits = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

/** What counts from the moment on that it is made. */
export class Metrics implements StoreWatch {
  readonly sessions: Sessions;
  readonly network: NetworkMetrics;
  readonly #registry = new Registry();
  readonly #count: (event: DossierEvent) => void;
  readonly #commits: Histogram;

  /** `siteOf` names the receiving site to which a host belongs; `now` is in ms since the epoch. */
  constructor(siteOf: (host: string) => string, now: number) {
    const registry = this.#registry;
    collectDefaultMetrics({ register: registry });
    new Gauge({
      name: 'posthorn_counting_since_seconds',
      help: 'Since when there is somebody to ask, and all is counted, in seconds since the epoch.',
      registers: [registry],
    }).set(now / 1000);
    this.sessions = sessionMetrics(registry);
    this.network = networkMetrics(registry);
    this.#count = messageMetrics({ registry, siteOf });
    this.#commits = new Histogram({
      name: 'posthorn_commit_seconds',
      help: 'Time until an accepted message was on disk.',
      buckets: commits,
      registers: [registry],
    });
  }

  noted(events: readonly EventRow[]): void {
    for (const event of events) this.#count(event as DossierEvent); // written as such
  }

  committed(durationMs: number): void {
    this.#commits.observe(durationMs / 1000);
  }

  /** Adds what is looked at when somebody asks; to be called once, when there is something to look at. */
  watch(state: Omit<StateParts, 'registry'>): void {
    stateMetrics({ ...state, registry: this.#registry });
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
