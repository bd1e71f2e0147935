/** What the command line leaves open, filled in: the same for every benchmark that plays rounds. */

import type { BenchOptions } from './bench.ts';

export interface Settings {
  messages: number;
  sizeBytes: number;
  sessions: number;
  rounds: number;
  budgetMs: number;
}

/** For one of several comparisons: three of them, the build and the start of the servers stay below eight minutes. */
const budgetSeconds = { tuned: 120, all: 360 };

/** What a benchmark says of itself. */
interface Defaults {
  /** For a round: ten to twenty seconds of Postfix, five of Posthorn. */
  messages: number;
  /** It is the benchmark's only comparison, and may take twice as long. */
  isOnly?: boolean;
}

export function settingsFor(options: BenchOptions, defaults: Defaults): Settings {
  const { messages = defaults.messages, sizeBytes = 1_024, sessions = 20, rounds = 5 } = options;
  return {
    messages,
    sizeBytes,
    sessions,
    rounds,
    budgetMs: 1000 * (options.seconds ?? budgetSeconds[options.peers] * (defaults.isOnly ? 2 : 1)),
  };
}
