/** How long a server may take to stop. */

import { type Clock, sleep } from '../util/clock.ts';
import { CommandError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';

/**
 * A stop takes no longer than this. What can be finished is finished before: sessions get 10 s for the message that comes
 * in, commands 5 s, deliveries 10 s, the last goodbyes to receivers 5 s; what does not come to its end is in doubt.
 */
export const stopLimitMs = 40_000;

/**
 * Rejects as the stop does, and where that does not end by itself. The latter is a bug, but nothing that was acknowledged
 * depends on it.
 */
export async function withinStopLimit(stopping: Promise<void>, clock: Clock): Promise<void> {
  const ended = new AbortController();
  const late = sleep(clock, stopLimitMs, ended.signal).then(
    () => {
      const text = `The server did not come to its end within ${stopLimitMs / 1000} s, and was ended. No mail is lost.`;
      throw new CommandError(exitCodes.software, text);
    },
    () => undefined, // it ended in time
  );
  try {
    await Promise.race([stopping, late]);
  } finally {
    ended.abort();
  }
}
