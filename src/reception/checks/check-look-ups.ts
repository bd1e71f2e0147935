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

/** What was found of a name counts for so long: clients that bring much bring it one after the other. */
export const rememberedMs = 60_000;
/** Names that are remembered before all are forgotten. */
const maxNames = 1000;

/** Finds something about names, for all who ask at once or soon after; what is not worth it is not remembered. */
export function remembering<T>(
  { clock }: Pick<CheckParts, 'clock'>,
  find: (name: string) => Promise<T>,
  isFinal: (found: T) => boolean,
): (name: string) => Promise<T> {
  const known = new Map<string, { found: Promise<T>; until: number }>();
  return (name) => {
    const before = known.get(name);
    if (before && before.until > clock.now()) return before.found;
    if (known.size >= maxNames) known.clear();
    const found = find(name);
    const entry = { found, until: clock.now() + rememberedMs };
    known.set(name, entry);
    const forget = () => {
      if (known.get(name) === entry) known.delete(name);
    };
    found.then((value) => isFinal(value) || forget(), forget);
    return found;
  };
}
