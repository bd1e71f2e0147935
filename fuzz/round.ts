/** A round: one target after the other, each with its share of the time, in a thread that is watched and can be replaced. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { TargetReport } from './engine.ts';
import type { Finding } from './finding.ts';
import { Heartbeat } from './heartbeat.ts';
import { Random } from './random.ts';
import type { Target } from './targets/target.ts';
import type { Task } from './thread.ts';

/** A reader that has not come back from one input after this time hangs. */
const hangMs = 20_000;
const lookMs = 500;
/** Heap of the thread: what needs more for inputs of some KiB has no limit. */
const maxHeapMb = 512;

export interface RoundOptions {
  seed: number;
  milliseconds: number;
  /** Told of each target's report as it comes. */
  onReport(report: TargetReport): void;
}

/** Fuzzes the targets for the given time in all. Never rejects because of what a target does. */
export async function fuzzRound(targets: readonly Target[], options: RoundOptions): Promise<TargetReport[]> {
  const endAt = performance.now() + options.milliseconds;
  const reports: TargetReport[] = [];
  // A thread that is ended from outside cannot remove its files itself.
  const scratch = await mkdtemp(join(tmpdir(), 'posthorn-fuzz-'));
  let thread = new FuzzThread(scratch);
  // On a machine that is busy the last ones have hardly any time: each time others.
  const order = new Random(options.seed, 'order').shuffled(targets);
  for (const [index, { name }] of order.entries()) {
    // What one target does not use is left to the others.
    const milliseconds = Math.max(0, (endAt - performance.now()) / (order.length - index));
    const report = await thread.perform({ target: name, seed: options.seed, milliseconds });
    options.onReport(report);
    reports.push(report);
    if (!thread.alive) thread = new FuzzThread(scratch);
  }
  await thread.end();
  await rm(scratch, { recursive: true, force: true });
  return reports;
}

class FuzzThread {
  /** False once it hung, or ended without being told to. */
  alive = true;
  readonly #heartbeat = new Heartbeat();
  readonly #worker: Worker;

  constructor(temporaryDirectory: string) {
    this.#worker = new Worker(new URL('thread.ts', import.meta.url), {
      workerData: this.#heartbeat.memory,
      env: { ...process.env, TMPDIR: temporaryDirectory },
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
    });
  }

  /** The report on the target; where the thread could not give one, it says what the thread was reading. */
  async perform(task: Task): Promise<TargetReport> {
    const start = performance.now();
    const inputsBefore = this.#heartbeat.count;
    const outcome = await this.#outcome(task);
    if (!('kind' in outcome)) return outcome;
    this.alive = false;
    await this.end();
    const executions = this.#heartbeat.count - inputsBefore;
    const perSecond = Math.round((executions / (performance.now() - start)) * 1000);
    return { target: task.target, executions, perSecond, runs: '?', heapGrowthBytes: 0, findings: [outcome] };
  }

  async end(): Promise<void> {
    this.#worker.removeAllListeners();
    await this.#worker.terminate();
  }

  #outcome(task: Task): Promise<TargetReport | Finding> {
    const { promise, resolve } = Promise.withResolvers<TargetReport | Finding>();
    const fault = (kind: Finding['kind'], message: string) =>
      resolve({ target: task.target, kind, message, input: this.#heartbeat.input });
    this.#worker.removeAllListeners();
    this.#worker.on('message', (report: TargetReport) => resolve(withBuffers(report)));
    this.#worker.on('error', (error) => fault('throw', `outside of the call: ${String(error)}`));
    this.#worker.on('exit', () => fault('hang', 'nothing is left to happen, and it has not come back'));
    const stopWatching = watch(this.#heartbeat, () => fault('hang', `no end after ${hangMs / 1000} s`));
    this.#worker.postMessage(task);
    return promise.finally(stopWatching);
  }
}

/** A Buffer crosses between threads as a plain Uint8Array. */
function withBuffers(report: TargetReport): TargetReport {
  const findings = report.findings.map(
    ({ input, ...rest }): Finding => (input === undefined ? rest : { ...rest, input: Buffer.from(input) }),
  );
  return { ...report, findings };
}

function watch(heartbeat: Heartbeat, onHang: () => void): () => void {
  let last = { count: -1, at: performance.now() };
  const timer = setInterval(() => {
    const { count } = heartbeat;
    if (count !== last.count) last = { count, at: performance.now() };
    else if (performance.now() - last.at > hangMs) onHang();
  }, lookMs);
  return () => clearInterval(timer);
}
