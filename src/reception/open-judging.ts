/** What judges mail from outside, and what it has learned: read from the store, wired, and written back at the end. */

import type { Config } from '../config/config.ts';
import type { Resolver } from '../dns/resolver.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import { FactFinder } from './checks/fact-finder.ts';
import { factSources } from './checks/sources.ts';
import { Deferrals } from './deferrals.ts';
import { Greylist } from './greylist/greylist.ts';
import { greylistLearner } from './greylist/greylist-source.ts';
import { SenderHistory } from './history/history.ts';
import { historyLearner } from './history/history-source.ts';
import { Judging } from './judging.ts';
import { Policies } from './policies.ts';

export interface OpenJudgingParts {
  config: Config;
  store: Store;
  resolver: Resolver;
  clock: Clock;
  log: Log;
}

export interface OpenedJudging {
  judging: Judging;
  greylist: Greylist;
  history: SenderHistory;
  /** Ends what finds facts, and writes what was learned and is not written yet. */
  stop(): Promise<void>;
}

export async function openJudging(parts: OpenJudgingParts): Promise<OpenedJudging> {
  const { config, store, clock } = parts;
  const { hostname, domains, dossier } = config;
  const greylist = await Greylist.read({ ...parts, config: config.greylisting });
  const history = await SenderHistory.read(parts);
  const policies = new Policies({ ...config, store });
  const sent = dossier.enabled ? store : undefined;
  const sources = factSources({ ...parts, hostname, domains, sent, greylist, history }, policies.all);
  const greylists = policies.all.some(({ checks }) => checks.some(({ then }) => then === 'greylist'));
  const judging = new Judging({
    policies,
    finder: new FactFinder(sources, policies.all),
    deferrals: new Deferrals({ store, clock }),
    learners: [historyLearner(history), ...(greylists ? [greylistLearner(greylist)] : [])],
  });
  const stop = async () => {
    await Promise.all([...sources.map((source) => source.stop?.()), greylist.flush(), history.flush()]);
  };
  return { judging, greylist, history, stop };
}
