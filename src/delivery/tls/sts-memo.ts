/** An MTA-STS policy as the store keeps it beyond a restart, until it is too old (RFC 8461 §3.3). */

import * as v from 'valibot';
import type { StsPolicy } from '../../mta-sts/policy.ts';
import type { Memo } from '../../store/memo-store.ts';

export interface StsPolicyInForce extends StsPolicy {
  domain: string;
  /** Of the record in DNS when it was fetched. */
  id: string;
  /** Milliseconds since the epoch. */
  fetchedAt: number;
}

export const stsMemoKind = 'mta-sts';

const shape = v.object({
  id: v.string(),
  mode: v.picklist(['enforce', 'testing', 'none']),
  mx: v.array(v.string()),
  maxAge: v.number(),
  fetchedAt: v.number(),
});

export function stsMemo({ domain, ...policy }: StsPolicyInForce): Memo {
  const expiresAt = policy.fetchedAt + policy.maxAge * 1000;
  return { kind: stsMemoKind, key: domain, value: policy, expiresAt };
}

/** Undefined for what another version wrote in another shape. */
export function readStsMemo({ key, value }: Memo): StsPolicyInForce | undefined {
  const read = v.safeParse(shape, value);
  return read.success ? { ...read.output, domain: key } : undefined;
}
