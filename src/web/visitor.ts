/** Who asks, by which host and how protected: from the connection, or from what a web server in front says of it. */

import { canonicalAddress, findFamily } from '../net/addresses.ts';
import type { Peer } from '../net/machine.ts';
import type { NetworkSet } from '../net/networks.ts';

/** How a request reached us. */
export interface Origin {
  peer: Peer;
  /** `proxied`: by a web server of ours in front, which is believed. */
  by: 'https' | 'http' | 'proxied';
}

export interface Visitor {
  /** Undefined where the web server in front does not say. */
  address: string | undefined;
  /** As sent, with its port. */
  host: string;
  /** TLS all the way to us, or to the web server in front. */
  secure: boolean;
}

export type RequestHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** `X-Forwarded-*` counts only where `by` is "proxied"; from others it is what anybody may write. */
export function visitorOf({ peer, by }: Origin, headers: RequestHeaders, isProxy: NetworkSet): Visitor {
  const host = textOf(headers.host) ?? '';
  if (by !== 'proxied') {
    const address = peer.proxy?.speaksFor === 'nobody' ? undefined : peer.address;
    return { address, host, secure: by === 'https' };
  }
  return {
    address: clientIn(textOf(headers['x-forwarded-for']), isProxy),
    host: lastOf(headers['x-forwarded-host']) ?? host,
    // One that says nothing is there to do TLS.
    secure: lastOf(headers['x-forwarded-proto'])?.toLowerCase() !== 'http',
  };
}

/**
 * Each proxy adds on the right whom it heard: from there on, the first that is no proxy of ours is the client, and what
 * stands before it is the client's own invention. Of several that are all ours, the nearest could not be invented.
 */
function clientIn(forwardedFor: string | undefined, isProxy: NetworkSet): string | undefined {
  const hops = (forwardedFor ?? '').split(',').map((hop) => addressIn(hop.trim()));
  for (const address of hops.toReversed()) if (address === undefined || !isProxy(address)) return address;
  return hops.at(-1);
}

/** Some write the port too: `192.0.2.1:40000`, `[2001:db8::1]:40000`. */
function addressIn(hop: string): string | undefined {
  const bare = /^\[([\da-f:.]+)\](?::\d+)?$/i.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop;
  return findFamily(bare) === undefined ? undefined : canonicalAddress(bare);
}

const textOf = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(',') : value;

function lastOf(value: string | string[] | undefined): string | undefined {
  const last = textOf(value)?.split(',').at(-1)?.trim();
  return last === '' ? undefined : last;
}
