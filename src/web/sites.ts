/** Which of our names a request is for. Names that are not ours are nobody's: no page, no redirect. */

import type { Config } from '../config/config.ts';
import type { DomainConfig } from '../config/receiving.ts';
import { findFamily } from '../net/addresses.ts';

export interface Site {
  /** `policy`: the host of a domain's MTA-STS policy, which has nothing else. */
  role: 'policy' | 'clients';
  /** Whom it is about; absent on our own host. */
  domain?: DomainConfig;
  /** Nothing else is ever served there; a domain's own name may be a web site too, in other places. */
  isOurs: boolean;
}

export type FindSite = (host: string) => Site | undefined;

/** Hosts as `Host` has them: in any case, with or without port. */
export function siteFinder({ hostname, domains }: Pick<Config, 'hostname' | 'domains'>): FindSite {
  const sites = new Map<string, Site>();
  for (const domain of domains) {
    sites.set(`mta-sts.${domain.name}`, { role: 'policy', domain, isOurs: true });
    for (const label of ['autoconfig', 'autodiscover'])
      sites.set(`${label}.${domain.name}`, { role: 'clients', domain, isOurs: true });
  }
  const domain = domains.find(({ name }) => name === hostname);
  sites.set(hostname, { role: 'clients', ...(domain && { domain }), isOurs: true });
  for (const domain of domains)
    if (domain.name !== hostname) sites.set(domain.name, { role: 'clients', domain, isOurs: false });
  return (host) => {
    const name = nameOf(host);
    return sites.get(name) ?? (isAddress(name) ? { role: 'clients', isOurs: false } : undefined);
  };
}

/** Without port and final dot, lower-case. */
export const nameOf = (host: string): string => host.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase();

/** Who asks by address (a monitor, a load balancer) means us. */
const isAddress = (name: string): boolean =>
  name === 'localhost' || findFamily(name.replace(/^\[(.*)\]$/, '$1')) !== undefined;
