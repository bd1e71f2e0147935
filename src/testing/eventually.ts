/** Waiting for what another part of the program does in its own time. */

import { setTimeout as pause } from 'node:timers/promises';

const pauseMs = 10;

/**
 * Looks again and again until `look` finds something. Rejects after `timeoutMs`, in which case `explain` says what there
 * was instead. Measures real time, also where a server under test has another clock.
 */
export async function eventually<T>(
  look: () => Promise<T | undefined>,
  { timeoutMs = 15_000, explain }: { timeoutMs?: number; explain: () => string | Promise<string> },
): Promise<T> {
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() >= giveUpAt)
      throw new Error(`Not within ${timeoutMs / 1000} s: ${await explain()}`);
    await pause(pauseMs);
  }
}
