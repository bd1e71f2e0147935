/** Who may read `/metrics`: it tells how much mail goes where. */

import { createHash, timingSafeEqual } from 'node:crypto';
import { addressClass } from '../net/addresses.ts';
import type { NetworkSet } from '../net/networks.ts';
import type { Visitor } from './visitor.ts';

export interface MetricsRules {
  networks: NetworkSet;
  /** What has to be shown besides. */
  token: string | undefined;
}

/** The network is to be right, and the token where there is one: it does not cross a network in clear text. */
export function mayReadMetrics(
  { networks, token }: MetricsRules,
  { address, secure }: Visitor,
  authorization: string | undefined,
): boolean {
  if (address === undefined || !networks(address)) return false;
  if (!secure && addressClass(address) !== 'loopback') return false;
  if (token === undefined) return true;
  const [, shown = ''] = /^Bearer +(.+)$/i.exec(authorization ?? '') ?? [];
  return timingSafeEqual(digestOf(shown), digestOf(token));
}

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();
