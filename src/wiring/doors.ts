/** The wiring of the ways in: what their doors share, and the filters that look at what comes in. */

import { expansionReporter } from '../delivery/expansion.ts';
import { retryPolicy } from '../queue/retry.ts';
import type { Filters } from '../reception/filters/filters.ts';
import { type Reception, reportPartsOf } from './core.ts';

/** Loaded only where there are any. */
export async function createFilters({ config, ...core }: Reception): Promise<Filters | undefined> {
  const { filters, hostname } = config;
  if (filters.length === 0) return undefined;
  const [{ Filters }, { probeAll }, { filterDialler }, { filterPoster }] = await Promise.all([
    import('../reception/filters/filters.ts'),
    import('../reception/filters/probe.ts'),
    import('../net/byte-stream.ts'),
    import('../net/http-post.ts'),
  ]);
  const { clock, log } = core;
  const parts = { ...core, filters, hostname, open: filterDialler(clock), post: filterPoster(clock) };
  // Told at the start, not when the first message comes; and nothing waits for it.
  void probeAll(parts, log).catch((error) => log.error({ err: error }, 'the filters could not be looked at'));
  return new Filters(parts);
}

/** Messages up to this many octets are kept in the database, larger ones in a spool file. */
const inlineBytes = 64 * 1024;

export function doorPartsOf(reception: Reception) {
  const { config, ...core } = reception;
  const { hostname, limits, delivery, arc } = config;
  return {
    ...core,
    reportExpansion: expansionReporter({ ...core, report: reportPartsOf(reception) }),
    lifetimeMs: retryPolicy(delivery).lifetimeMs,
    hostname,
    headerBytes: limits.headerBytes,
    inlineBytes,
    arc,
    wroteTo: (account: string, recipients: readonly string[]) => core.history.wroteTo(account, recipients),
    lostAnswers: { repeats: core.repeats, store: core.store },
    spool: core.store.spool,
  };
}
