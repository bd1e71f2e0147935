/**
 * How people name a receiving site. Its own name is made of its hosts, preferences and port (delivery/route/route.ts), and nobody
 * would type that: one of its hosts will do, or the domain that they lie in. Text only; asks nobody.
 */

const word = /[^\s,]+/g;

/** The host names in a site's name: `10 mx1.example.net, 20 mx2.example.net:25` has two, `local` is one. */
export function hostsOfSite(site: string): string[] {
  return (site.match(word) ?? [])
    .map((text) => text.toLowerCase().replace(/:\d+$/, '').replace(/\.$/, ''))
    .filter((text) => !/^\d*$/.test(text));
}

/** The site of a domain that no host is known for: it is alone there. */
export const siteWithoutRoute = (domain: string): string => `no route to ${domain}`;

export const hasNoRoute = (site: string): boolean => site.startsWith(siteWithoutRoute(''));

/** The name of a known or configured site is an ending of its hosts' names (delivery/route/site-tables.ts), and no list. */
const isEnding = (site: string): boolean => !/[\s,]/.test(site);

/** Whether `wanted` means that site: its whole name, one of its hosts, or a domain that one of them lies in. */
export function isSite(site: string, wanted: string): boolean {
  const name = wanted.toLowerCase();
  if (isEnding(site) && name.endsWith(`.${site.toLowerCase()}`)) return true;
  return (
    site.toLowerCase() === name ||
    hostsOfSite(site).some((host) => host === name || host.endsWith(`.${name}`))
  );
}
