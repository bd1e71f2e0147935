/**
 * Tells systemd how the service is (sd_notify(3)), where it was started by it. That takes a datagram to a Unix socket, which Node
 * cannot send: `systemd-notify`, which is wherever systemd is, does. The unit needs NotifyAccess=all then.
 */

import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import { type ProgramEnd, type ProgramRun, runProgram } from './program.ts';

export type ServiceState = 'READY=1' | 'STOPPING=1' | 'WATCHDOG=1' | `STATUS=${string}` | `MAINPID=${number}`;

export interface ServiceManagerParts {
  env: Readonly<Record<string, string | undefined>>;
  pid: number;
  clock: Clock;
  log: Log;
  run?: (run: ProgramRun) => Promise<ProgramEnd>;
}

const patienceMs = 5_000;

/** Resolves when it was told, or there is nobody to tell. What goes wrong is for the log: nothing depends on it. */
export async function tellServiceManager(
  { env, pid, clock, log, run = runProgram }: ServiceManagerParts,
  ...states: ServiceState[]
): Promise<void> {
  const socket = env.NOTIFY_SOCKET;
  if (socket === undefined || socket === '') return;
  const command = ['systemd-notify', `--pid=${pid}`, ...states];
  const end = await run({ command, env: { NOTIFY_SOCKET: socket }, input: [], timeoutMs: patienceMs, clock });
  if (end.kind === 'exited' && end.code === 0) return;
  log.warn({ states, end }, 'systemd could not be told how the service is (systemd-notify)');
}
