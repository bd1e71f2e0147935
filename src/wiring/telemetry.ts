/** The wiring of what watches: metrics where a web listener can show them, spans where an SDK is there to take them. */

import { madeOf, type Settings } from '../config/settings.ts';
import { SiteTables } from '../delivery/route/site-tables.ts';
import type { OnLookUp } from '../dns/watched-resolver.ts';
import type { Certificates } from '../net/tls-context.ts';
import { tlsFailureReason } from '../net/tls-failure.ts';
import type { Brake } from '../queue/brake/brake.ts';
import type { Defence } from '../reception/abuse/defence.ts';
import type { Store } from '../store/store.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { tracedStore } from '../telemetry/traced-store.ts';
import { watchedStore } from '../telemetry/watched-store.ts';
import type { Clock } from '../util/clock.ts';
import type { Health } from '../util/health.ts';
import type { Log } from '../util/log.ts';
import { ownVersion } from '../util/own-version.ts';

export interface Telemetry {
  /** The same store, watched where anybody watches. */
  over(store: Store): Store;
  counting: Counting;
  /** Somebody takes spans. */
  isTraced: boolean;
}

/** Loads what is needed, and nothing where nothing is. */
export async function openTelemetry(
  settings: Settings,
  { clock, log }: { clock: Clock; log: Log },
): Promise<Telemetry> {
  const [{ openSpans }, version] = await Promise.all([import('../telemetry/spans.ts'), ownVersion()]);
  const counting = new Counting(settings, clock);
  const spans = await openSpans(version, clock);
  return {
    counting,
    isTraced: spans !== undefined,
    over(store) {
      const watched = watchedStore(store, () => counting.metrics);
      return spans ? tracedStore(watched, spans, log) : watched;
    },
  };
}

/** Metrics from the moment on that somebody can ask for them: with the first web listener, at the start or by a reload. */
export class Counting {
  readonly #clock: Clock;
  readonly #tables: () => SiteTables;
  #state: Parameters<Metrics['watch']>[0] | undefined;
  #metrics: Metrics | undefined;

  constructor(settings: Settings, clock: Clock) {
    this.#clock = clock;
    this.#tables = madeOf(settings, ({ sites }) => new SiteTables(sites));
  }

  /** Absent as long as nobody can ask for them. */
  get metrics(): Metrics | undefined {
    return this.#metrics;
  }

  /** To be called where there is a web listener; what counts already goes on. */
  async begin(): Promise<void> {
    const { Metrics } = await import('../telemetry/metrics.ts');
    if (this.#metrics !== undefined) return;
    const siteOf = (host: string) =>
      this.#tables().find({ domain: host, hosts: [{ preference: 0, host, addresses: [] }] })?.name ?? host;
    this.#metrics = new Metrics(siteOf, this.#clock.now());
    if (this.#state !== undefined) this.#metrics.watch(this.#state);
  }

  handshakeFailed(direction: 'in' | 'out', error: Error): void {
    this.#metrics?.network.handshakeFailed(direction, tlsFailureReason(error));
  }

  readonly onLookUp: OnLookUp = (lookUp) => this.#metrics?.network.lookedUp(lookUp);

  /** What is looked at when somebody asks. To be called once, before anybody can. */
  watch(state: Parameters<Metrics['watch']>[0]): void {
    this.#state = state;
    this.#metrics?.watch(state);
  }

  /** What is shown; empty as long as nothing is counted. */
  async text(): Promise<string> {
    return (await this.#metrics?.text()) ?? '';
  }
}

export interface WatchedParts {
  store: Store;
  clock: Clock;
  health(): Health;
  defence: Pick<Defence, 'bans'>;
  brake: Pick<Brake, 'list'>;
  /** Those in force now; undefined without TLS. */
  certificates(): Pick<Certificates, 'known'> | undefined;
}

/** What `/metrics` shows. */
export async function watchState(
  counting: Counting,
  { store, clock, health, defence, brake, certificates }: WatchedParts,
): Promise<void> {
  counting.watch({
    ...{ store, clock, health },
    bans: () => defence.bans.list().length,
    braked: () => brake.list().length,
    certificates: () =>
      (certificates()?.known() ?? []).map(({ names, notAfter }) => ({
        name: names[0] ?? '',
        endsAt: notAfter,
      })),
    version: await ownVersion(),
  });
}
