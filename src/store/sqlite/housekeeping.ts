/** Gives disk space that pruning freed back to the file system, in small steps while the store has nothing else to do. */

import type { Clock } from '../../util/clock.ts';
import type { Link } from './link.ts';

/** Between two looks. */
const intervalMs = 10_000;
/** Steps at one look, as long as nothing else is asked for. */
const stepsAtOnce = 64;

/** Starts to look regularly; the returned function stops it. */
export function keepTidy(link: Link, clock: Clock): () => void {
  let stopped = false;
  let cancel = clock.after(intervalMs, look);

  function look(): void {
    // A store that cannot do even this has declared itself broken already.
    tidy(link).then(again, again);
  }

  function again(): void {
    if (!stopped) cancel = clock.after(intervalMs, look);
  }

  return () => {
    stopped = true;
    cancel();
  };
}

async function tidy(link: Link): Promise<void> {
  for (let step = 0; step < stepsAtOnce && link.idle; step++) {
    if (!(await link.call('reclaim', undefined))) return;
  }
}
