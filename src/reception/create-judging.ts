/** What judges mail from outside, made of a configuration and of what was learned before. */

import type { Config } from '../config/config.ts';
import type { Resolver } from '../dns/resolver.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import { FactFinder } from './checks/fact-finder.ts';
import { factSources } from './checks/sources.ts';
import { Deferrals } from './deferrals.ts';
import type { Greylist } from './greylist/greylist.ts';
import { greylistLearner } from './greylist/greylist-source.ts';
import type { SenderHistory } from './history/history.ts';
import { historyLearner } from './history/history-source.ts';
import { Judging } from './judging.ts';
import { Policies } from './policies.ts';

export interface CreateJudgingParts {
  config: Config;
  store: Store;
  resolver: Resolver;
  clock: Clock;
  log: Log;
  greylist: Greylist;
  history: SenderHistory;
}

export interface CreatedJudging {
  judging: Judging;
  /** Ends what finds facts: nobody is judged any more. */
  stop(): Promise<void>;
}

export function createJudging(parts: CreateJudgingParts): CreatedJudging {
  const { config, store, clock, greylist, history } = parts;
  const { hostname, domains, dossier } = config;
  const policies = new Policies({ ...config, store });
  const sent = dossier.enabled ? store : undefined;
  const sources = factSources({ ...parts, hostname, domains, sent }, policies.all);
  const greylists = policies.all.some(({ checks }) => checks.some(({ then }) => then === 'greylist'));
  const judging = new Judging({
    policies,
    finder: new FactFinder(sources, policies.all),
    deferrals: new Deferrals({ store, clock }),
    learners: [historyLearner(history), ...(greylists ? [greylistLearner(greylist)] : [])],
  });
  return { judging, stop: async () => void (await Promise.all(sources.map((source) => source.stop?.()))) };
}
