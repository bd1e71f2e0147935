/** Several workers (worker.ts), each a process of its own, that take stretch after stretch until there are none left. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Explored } from './explore.ts';

/** The records of a recording after which the power is cut. */
export interface Stretch {
  /** The recording's folder. */
  recording: string;
  first: number;
  end: number;
  /** No moment is begun after this, ms since the epoch. */
  until: number;
  seed: number;
  /** `bin/posthorn` for the real restarts. */
  program: string;
}

/** What is to be done, and where it is noted. */
export interface Tasks {
  next(): Stretch | undefined;
  note(stretch: Stretch, explored: Explored): void;
}

export type Answer = { explored: Explored } | { failure: string };

export class Crew implements AsyncDisposable {
  readonly #workers: ChildProcess[];

  constructor(size: number, environment: Record<string, string>) {
    const env = { ...process.env, ...environment };
    const program = join(import.meta.dirname, 'worker.ts');
    this.#workers = Array.from({ length: size }, () => fork(program, { serialization: 'advanced', env }));
  }

  /** Rejects where a worker fails at its task; what a restarted server does wrong is no failure. */
  async explore(tasks: Tasks): Promise<void> {
    await Promise.all(this.#workers.map((worker) => workOn(worker, tasks)));
  }

  /** Resolves when all are gone, with what they have started and laid out. */
  async [Symbol.asyncDispose](): Promise<void> {
    const living = this.#workers.filter(
      ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
    );
    const ends = living.map((worker) => once(worker, 'exit'));
    for (const worker of living) worker.disconnect();
    await Promise.all(ends);
  }
}

async function workOn(worker: ChildProcess, tasks: Tasks): Promise<void> {
  for (let stretch = tasks.next(); stretch !== undefined; stretch = tasks.next())
    tasks.note(stretch, await explored(worker, stretch));
}

function explored(worker: ChildProcess, stretch: Stretch): Promise<Explored> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`A worker ended with ${code}`));
    worker.once('exit', ended);
    // Of our own worker.ts.
    worker.once('message', (answer: Answer) => {
      worker.off('exit', ended);
      if ('failure' in answer) reject(new Error(answer.failure));
      else resolve(answer.explored);
    });
    worker.send(stretch);
  });
}
