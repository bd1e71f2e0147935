/** DNS for one check of a client: so much time, so many questions, and not one after that. */

import { type LookUps, lookUps } from '../../authentication/look-ups.ts';
import type { Resolver } from '../../dns/resolver.ts';
import type { Clock } from '../../util/clock.ts';

export interface CheckParts {
  resolver: Resolver;
  clock: Clock;
}

/** What DNS has not said by then is not known. */
export const checkTimeMs = 10_000;
/** More than any one check asks. */
const maxLookUps = 100;

/** Ends what may still be under way when a check has what it needs. */
const checkIsOver = new Error('the check is over');

export async function withLookUps<T>(
  { resolver, clock }: CheckParts,
  check: (dns: LookUps) => Promise<T>,
): Promise<T> {
  const timeout = new AbortController();
  const cancel = clock.after(checkTimeMs, () => timeout.abort(new Error('the time for this check is over')));
  try {
    return await check(lookUps(resolver, maxLookUps, timeout.signal));
  } finally {
    cancel();
    timeout.abort(checkIsOver);
  }
}
