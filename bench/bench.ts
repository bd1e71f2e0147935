/** What a benchmark is given and what it gives back: all that main.ts knows of one. */

import type { World } from '../e2e/world.ts';

/** From the command line; a number that is not given is for the benchmark to choose. */
export interface BenchOptions {
  /** Rows go to standard output as JSON, so that everything for people must go elsewhere. */
  json: boolean;
  messages?: number;
  /** Octets of a message's body. */
  sizeBytes?: number;
  /** Connections at once. */
  sessions?: number;
  rounds?: number;
  /** How long, where a benchmark measures for a time and not for a number of messages. */
  seconds?: number;
  /** Against tuned Postfix only, or against every server that can be had. */
  peers: 'tuned' | 'all';
}

export interface BenchContext {
  /** The benchmark's own folder and ports; what is started in it ends with it. */
  readonly world: World;
  readonly options: BenchOptions;
  /** `bin/posthorn` of the built product, as users run it: for `startPosthorn(world, { program })`. */
  readonly program: string;
  /** One line to standard error: progress, peers that are skipped, and why. */
  log(line: string): void;
}

/** One figure of ours beside a peer's, for programs: `--json` prints these and nothing else. */
export interface BenchRow {
  bench: string;
  /** The server compared with, or what stands in its place: `empty queue`. */
  peer: string;
  sizeBytes: number;
  /** `msg/s`, or whatever is measured where it is no rate: `ms`, `MiB`, `KiB/session`. */
  unit: string;
  /** Medians over the rounds. */
  ours: number;
  theirs: number;
  /** ours / theirs. */
  ratio: number;
}

/** What a figure must be at least (or at most), and what it was. */
export interface Target {
  /** `relay 1024 octets: ratio to tuned Postfix`. */
  what: string;
  /** `≥ 3`. */
  must: string;
  /** `≥ 6`; absent where nothing more is asked. */
  aim?: string;
  /** `4.21`. */
  measured: string;
  met: boolean;
}

export interface BenchReport {
  rows: BenchRow[];
  /** The whole result for people, several lines. */
  text: string;
  targets?: Target[];
  /** What makes the figures worthless: a message lost, a shim that intercepted nothing. The exit code is then 1. */
  failed?: string[];
}

export interface Bench {
  readonly name: string;
  /** One line: what is measured. */
  readonly description: string;
  /** Leaves many GiB behind. */
  readonly isLarge?: boolean;
  run(context: BenchContext): Promise<BenchReport>;
}
