/** A preflight from the configuration: its parts are made, used once, and closed. */

import type { Config } from '../config/config.ts';
import { withCheckParts } from '../delivery/check/check-directly.ts';
import { loadSigners } from '../delivery/outbound.ts';
import { SiteTables } from '../delivery/route/site-tables.ts';
import { filterPoster } from '../net/http-post.ts';
import type { Clock } from '../util/clock.ts';
import type { Draft } from './letter.ts';
import { type Preflight, type PreflightParts, preflight } from './preflight.ts';

/** In all; a server that does not answer must not keep the rest back for longer. */
const preflightMs = 120_000;

export async function preflightOf(
  config: Config,
  clock: Clock,
  { draft, ...given }: { draft: Draft } & Pick<PreflightParts, 'addresses' | 'countDelivered'>,
): Promise<Preflight> {
  const { hostname, filters, sites } = config;
  const signers = await loadSigners(config, clock);
  return withCheckParts(config, clock, (reach) => {
    const receiver = { ...reach, tables: new SiteTables(sites) };
    const score = { filters, post: filterPoster(clock), hostname };
    const authentication = { resolver: reach.resolver, clock };
    const parts = { ...given, hostname, clock, signers, authentication, receiver, score };
    return preflight(parts, draft, AbortSignal.timeout(preflightMs));
  });
}
