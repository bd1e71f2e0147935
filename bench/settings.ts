/** What the command line leaves open, filled in: the same for every benchmark that plays rounds. */

import type { BenchOptions } from './bench.ts';

export interface Settings {
  messages: number;
  sizeBytes: number;
  sessions: number;
  rounds: number;
  budgetMs: number;
}

/** Three comparisons, the build and the start of the servers stay below eight minutes. */
const budgetSeconds = { tuned: 120, all: 360 };

/** `messages` for a round: about ten seconds of Postfix, five of Posthorn. */
export function settingsFor(options: BenchOptions, defaults: Pick<Settings, 'messages'>): Settings {
  const { messages = defaults.messages, sizeBytes = 1_024, sessions = 20, rounds = 5 } = options;
  return {
    messages,
    sizeBytes,
    sessions,
    rounds,
    budgetMs: 1000 * (options.seconds ?? budgetSeconds[options.peers]),
  };
}
