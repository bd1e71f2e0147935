/** Gives disk space that pruning freed back to the file system, in small steps while the store has nothing else to do. */

import type { Clock } from '../../util/clock.ts';
import type { Link } from './link.ts';

/** Between two looks, and where the last one left something to be done. */
const intervalMs = 10_000;
const goOnMs = 500;
/** Steps at one look, as long as nothing else is asked for. */
const stepsAtOnce = 64;

/** Starts to look regularly; the returned function stops it. */
export function keepTidy(link: Link, clock: Clock): () => void {
  let stopped = false;
  let cancel = clock.after(intervalMs, look);

  function look(): void {
    tidy(link).then(
      (isTidy) => again(isTidy ? intervalMs : goOnMs),
      // A store that cannot do even this has declared itself broken already.
      () => again(intervalMs),
    );
  }

  function again(delayMs: number): void {
    if (!stopped) cancel = clock.after(delayMs, look);
  }

  return () => {
    stopped = true;
    cancel();
  };
}

/** Resolves to whether nothing is left to do. */
async function tidy(link: Link): Promise<boolean> {
  for (let step = 0; step < stepsAtOnce && link.idle; step++) {
    if (!(await link.call('reclaim', undefined))) return true;
  }
  return false;
}
