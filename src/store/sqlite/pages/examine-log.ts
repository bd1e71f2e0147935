/** What is wrong with the write-ahead log: what it shows itself, and what is known of how long it was. */

import type { Damage } from './damage.ts';
import type { Log } from './log.ts';
import type { LogMark } from './sums.ts';

export function logDamage(file: string, log: Log | undefined, mark: LogMark | undefined): Damage[] {
  const what = log?.damage ?? (mark && contradiction(log, mark));
  return what === undefined ? [] : [{ file, what }];
}

function contradiction(log: Log | undefined, { salts, frames }: LogMark): string | undefined {
  if (log === undefined) return 'is missing, and with it mail that was accepted last';
  const generations = (log.salts[0] - salts[0]) >>> 0;
  if (generations === 0 && log.salts[1] === salts[1]) {
    if (log.frames.length >= frames) return undefined;
    return `is as it was written up to frame ${log.frames.length} only, of at least ${frames}`;
  }
  // Counted up each time that the log begins anew. The mark may be old, but it is never ahead.
  const isLater = generations > 0 && generations < 2 ** 31;
  return isLater ? undefined : 'is not the one that belongs to this database, or an older one';
}
