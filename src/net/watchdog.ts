/**
 * Tells systemd again and again that the thread that speaks with clients is not stuck, where the unit asks for it by
 * `WatchdogSec=` (sd_watchdog_enabled(3)): a server that says nothing for so long is ended and started anew.
 */

import { type ServiceManagerParts, tellServiceManager } from './service-manager.ts';

export interface WatchdogParts extends ServiceManagerParts {
  /** The variables name the pid of the process that this one takes over from, and mean this one. */
  isSuccessor: boolean;
}

/** A word may come late, and one may be lost. */
const wordsPerLimit = 3;

/** Says nothing where nobody asks. The returned function ends it. */
export function reassureWatchdog(parts: WatchdogParts): () => void {
  const limitMs = watchdogLimitMs(parts);
  if (limitMs === undefined) return () => {};
  const { clock } = parts;
  let isOver = false;
  let cancel = (): void => {};
  const wait = () => {
    if (!isOver) cancel = clock.after(limitMs / wordsPerLimit, () => void tell());
  };
  // Never rejects: what goes wrong is in the log, and told once more next time.
  const tell = () => tellServiceManager(parts, 'WATCHDOG=1').then(wait);
  wait();
  return () => {
    isOver = true;
    cancel();
  };
}

function watchdogLimitMs({ env, pid, isSuccessor }: WatchdogParts): number | undefined {
  const { WATCHDOG_USEC: limit = '', WATCHDOG_PID: whose = String(pid) } = env;
  if (!/^[1-9]\d*$/.test(limit) || (whose !== String(pid) && !isSuccessor)) return undefined;
  return Number(limit) / 1000;
}
