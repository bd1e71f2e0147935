/**
 * Which table of limits a route falls under: one of the configuration's, by domain or by the names of the MX hosts, or
 * else one of the known receivers'. All that falls under one table is one site, with its limits in common.
 */

import type { SiteConfig } from '../../config/sending.ts';
import { type KnownSite, knownSites } from './known-sites.ts';
import type { Route } from './route.ts';

export interface SiteTable {
  /** Of the site: the first of its host endings, or its first domain. */
  name: string;
  /** As the configuration says, or as the receiver is known to take. */
  connections?: number;
  messagesPerConnection?: number;
  messagesPerHour?: number;
  recipientsPerMessage?: number;
  /** It stands in the configuration. */
  isOurs: boolean;
}

export class SiteTables {
  readonly #byDomain = new Map<string, SiteTable>();
  /** The configuration's, then the known ones'. */
  readonly #byEnding = [new Map<string, SiteTable>(), new Map<string, SiteTable>()] as const;
  readonly #byName = new Map<string, SiteTable>();

  constructor(configured: readonly SiteConfig[], known: readonly KnownSite[] = knownSites) {
    const [ours, theirs] = this.#byEnding;
    for (const { mx, source: _, checked: __, ...limits } of known)
      this.#add({ name: mx[0] ?? '', ...limits, isOurs: false }, mx, theirs);
    for (const { mx, domains, ...limits } of configured) {
      const { isOurs: _, ...basis } = mx.map((ending) => findEnding(theirs, ending)).find(Boolean) ?? {};
      const table: SiteTable = { ...basis, ...limits, name: mx[0] ?? domains[0] ?? '', isOurs: true };
      this.#add(table, mx, ours);
      for (const domain of domains) this.#byDomain.set(domain, table);
    }
  }

  #add(table: SiteTable, mx: readonly string[], endings: Map<string, SiteTable>): void {
    for (const ending of mx) endings.set(ending, table);
    this.#byName.set(table.name, table);
  }

  /** The table of a route, if it has one. Backup hosts of other providers do not count: mail goes to the best ones. */
  find({ domain, hosts }: Pick<Route, 'domain' | 'hosts'>): SiteTable | undefined {
    const configured = this.#byDomain.get(domain);
    if (configured !== undefined) return configured;
    const names = bestOf(hosts);
    for (const endings of this.#byEnding) {
      const table = tableOfAll(endings, names);
      if (table !== undefined) return table;
    }
    return undefined;
  }

  named(site: string): SiteTable | undefined {
    return this.#byName.get(site);
  }
}

function bestOf(hosts: Route['hosts']): string[] {
  const best = hosts.reduce((least, { preference }) => Math.min(least, preference), Number.POSITIVE_INFINITY);
  return hosts.filter(({ preference }) => preference === best).map(({ host }) => host.toLowerCase());
}

/** The one table that all the hosts fall under. */
function tableOfAll(
  endings: ReadonlyMap<string, SiteTable>,
  hosts: readonly string[],
): SiteTable | undefined {
  if (endings.size === 0) return undefined;
  const [first, ...others] = hosts.map((host) => findEnding(endings, host));
  return others.every((table) => table === first) ? first : undefined;
}

/** By the longest ending, label by label: `google.com` is one of `mx.google.com` and not of `notgoogle.com`. */
function findEnding(endings: ReadonlyMap<string, SiteTable>, host: string): SiteTable | undefined {
  for (let rest = host; ; rest = rest.slice(rest.indexOf('.') + 1)) {
    const table = endings.get(rest);
    if (table !== undefined || !rest.includes('.')) return table;
  }
}
