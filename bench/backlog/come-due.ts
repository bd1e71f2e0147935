/**
 * Lets a part of a backlog come due while something else is measured, as time would: destination after destination, all
 * that waits for one at the same moment. The server is down while it is arranged.
 */

import { join } from 'node:path';
import type { Posthorn } from '../../e2e/peers/posthorn.ts';
import { run } from '../../e2e/process.ts';
import { jobsPerDestination } from './destinations.ts';
import type { DueOrder } from './rescheduler.ts';

export interface ComingDue {
  /** Between two rounds of its own the server stands still, so that it is not in the others' way; what comes due waits. */
  pause(): Promise<void>;
  goOn(): Promise<void>;
  /** How many jobs have come due by now. */
  jobs(): number;
}

/** The first destination comes due so long after the start, and then one after the other. */
const firstAfterMs = 10_000;
const everyMs = 100;

const limitMs = 300_000;

/** Of this many destinations; the server is running again when it resolves. */
export async function comeDue(server: Posthorn, destinations: number): Promise<ComingDue> {
  await server.stop();
  const firstAt = Date.now() + firstAfterMs;
  const order: DueOrder = { dataDir: server.dataDir, destinations, firstAt, everyMs };
  const script = join(import.meta.dirname, 'rescheduler.ts');
  const { code, output } = await run(process.execPath, [script, JSON.stringify(order)], {
    timeoutMs: limitMs,
  });
  if (code !== 0) throw new Error(`the backlog could not be rescheduled:\n${output}`);
  await server.start();
  const signal = async (name: 'SIGSTOP' | 'SIGCONT') => void process.kill(server.pid, name);
  return {
    pause: () => signal('SIGSTOP'),
    goOn: () => signal('SIGCONT'),
    jobs() {
      const passed = Math.floor((Date.now() - firstAt) / everyMs) + 1;
      return jobsPerDestination * Math.max(0, Math.min(destinations, passed));
    },
  };
}
