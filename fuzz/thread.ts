/** The thread in which targets are fuzzed, one after the other; round.ts gives it tasks, watches it and hears reports. */

import { parentPort, workerData } from 'node:worker_threads';
import { fuzzTarget } from './engine.ts';
import { Heartbeat } from './heartbeat.ts';
import { findTarget } from './targets/index.ts';

export interface Task {
  target: string;
  seed: number;
  milliseconds: number;
}

const heartbeat = new Heartbeat(workerData); // the memory that round.ts gave to the Worker

async function perform({ target: name, seed, milliseconds }: Task): Promise<void> {
  const target = findTarget(name);
  if (target === undefined) throw new Error(`Cannot fuzz "${name}": there is no such target`);
  const note = (input: Buffer) => heartbeat.note(input);
  parentPort?.postMessage(await fuzzTarget(target, { seed, milliseconds, note }));
}

parentPort?.on('message', (task: Task) => void perform(task)); // what it throws ends the thread, and is told as a finding
