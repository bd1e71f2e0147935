/** Which addresses an administrator may use for what. Knows domains, not accounts. */

import { addressKey, formatAddress, parseAddress, parseDomain } from '../mail/address.ts';
import type { LocalDomain } from '../queue/readings.ts';
import { AdminError } from './admin-error.ts';

export type Domains = readonly LocalDomain[];

/** The key of an address of a configured domain. Throws an AdminError for any other. */
export function localAddress(text: string, domains: Domains): string {
  const address = parseAddress(text);
  if (address === undefined) throw badAddress(text);
  if (domains.some(({ name }) => name === address.domain)) return addressKey(address);
  const known = domains.map(({ name }) => name).join(', ');
  throw new AdminError(
    'not-our-domain',
    `${text} is in no domain of this server (${known === '' ? 'it has none' : known}). ` +
      `Add [[domain]] name = "${address.domain}" to the configuration first, and have a running server read it (posthorn reload).`,
  );
}

/** Local addresses as their keys; remote ones keep their spelling, which is theirs to interpret (RFC 5321 §2.4). */
export function anyAddress(text: string, domains: Domains): { address: string; isLocal: boolean } {
  const address = parseAddress(text);
  if (address === undefined) throw badAddress(text);
  const isLocal = domains.some(({ name }) => name === address.domain);
  return { address: isLocal ? addressKey(address) : formatAddress(address), isLocal };
}

/** In A-labels. */
export function anyDomain(text: string): string {
  const domain = parseDomain(text);
  if (domain !== undefined) return domain;
  throw new AdminError('bad-request', `${JSON.stringify(text)} is not a domain. Give the part after the @.`);
}

/** One of its hosts, or a domain that they lie in. */
export function anySite(text: string): string {
  const name = text.trim().toLowerCase();
  const how = 'A site is named by one of its MX hosts, or the domain that they lie in';
  if (name === '' || name.length > maxSiteName) throw new AdminError('bad-request', `${how}.`);
  if (!/^\*(?:\.|$)/.test(name)) return name;
  const remedy = name.length > 2 ? `write ${name.slice(2)}` : 'for everything there is --all';
  throw new AdminError('bad-request', `${how}, and no * stands for any part of that: ${remedy}.`);
}

/** A site with many hosts has them all in its name. */
const maxSiteName = 4096;

const badAddress = (text: string) =>
  new AdminError(
    'bad-request',
    `${JSON.stringify(text)} is not a mail address. Write it as user@example.com.`,
  );
