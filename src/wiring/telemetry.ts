/** The wiring of what watches: metrics where a web listener can show them, spans where an SDK is there to take them. */

import { madeOf, type Settings } from '../config/settings.ts';
import { SiteTables } from '../delivery/route/site-tables.ts';
import type { Certificates } from '../net/tls-context.ts';
import type { Brake } from '../queue/brake/brake.ts';
import type { Defence } from '../reception/abuse/defence.ts';
import type { Store } from '../store/store.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { tracedStore } from '../telemetry/traced-store.ts';
import { watchedStore } from '../telemetry/watched-store.ts';
import type { Clock } from '../util/clock.ts';
import type { Health } from '../util/health.ts';
import { ownVersion } from '../util/own-version.ts';
import { isWeb } from './web.ts';

export interface Telemetry {
  /** The same store, watched where anybody watches. */
  over(store: Store): Store;
  /** Absent where nobody can ask for them. */
  metrics: Metrics | undefined;
}

/** Loads what is needed, and nothing where nothing is. */
export async function openTelemetry(settings: Settings, clock: Clock): Promise<Telemetry> {
  const tables = madeOf(settings, ({ sites }) => new SiteTables(sites));
  const [{ openSpans }, version] = await Promise.all([import('../telemetry/spans.ts'), ownVersion()]);
  const [metrics, spans] = await Promise.all([
    settings.config.listeners.some(isWeb) ? openMetrics(tables) : undefined,
    openSpans(version, clock),
  ]);
  return {
    metrics,
    over(store) {
      const watched = metrics ? watchedStore(store, metrics) : store;
      return spans ? tracedStore(watched, spans) : watched;
    },
  };
}

async function openMetrics(tables: () => SiteTables): Promise<Metrics> {
  const { Metrics } = await import('../telemetry/metrics.ts');
  const siteOf = (host: string) =>
    tables().find({ domain: host, hosts: [{ preference: 0, host, addresses: [] }] })?.name ?? host;
  return new Metrics(siteOf);
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
  metrics: Metrics | undefined,
  { store, clock, health, defence, brake, certificates }: WatchedParts,
): Promise<void> {
  metrics?.watch({
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
