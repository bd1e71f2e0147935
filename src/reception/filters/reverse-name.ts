/** The name of a client, which filters want to know before the sender is checked. */

import { checkIprev } from '../../authentication/iprev.ts';
import { lookUps } from '../../authentication/look-ups.ts';
import type { IprevVerdict } from '../../authentication/verdicts.ts';
import type { Resolver } from '../../dns/resolver.ts';
import type { Clock } from '../../util/clock.ts';

/** The client waits for the answer to its MAIL meanwhile. */
const limitMs = 5000;
/** DNS questions: the PTR record, and the addresses of the names that it has. */
const maxLookUps = 12;

/** What was asked here is remembered by the resolver, for the check of the sender. */
export async function findReverseName(
  { resolver, clock }: { resolver: Resolver; clock: Clock },
  address: string,
): Promise<IprevVerdict> {
  const timeout = new AbortController();
  const cancel = clock.after(limitMs, () =>
    timeout.abort(new Error('the time for the reverse name is over')),
  );
  try {
    return await checkIprev(lookUps(resolver, maxLookUps, timeout.signal), address);
  } finally {
    cancel();
  }
}
