/**
 * What stands behind the doors for mail (reception/) in tests: plain lists in the place of queue and store, DNS as a zone or a
 * script, policies and filters as they are. No socket but to filters; a disk only where a spool is given.
 */

import type { DkimSigner } from '../authentication/dkim-sign.ts';
import type { FilterConfig } from '../config/filter.ts';
import type { ZoneData } from '../dns/zone-data.ts';
import { filterDialler } from '../net/byte-stream.ts';
import { filterPoster } from '../net/http-post.ts';
import type { Policy } from '../policy/policy.ts';
import { Directory } from '../queue/directory.ts';
import type { ReturnPaths } from '../queue/return-paths.ts';
import type { Conduct } from '../reception/abuse/conduct.ts';
import { FactFinder } from '../reception/checks/fact-finder.ts';
import { factSources } from '../reception/checks/sources.ts';
import { Deferrals } from '../reception/deferrals.ts';
import { Filters } from '../reception/filters/filters.ts';
import type { Greylist } from '../reception/greylist/greylist.ts';
import { greylistLearner } from '../reception/greylist/greylist-source.ts';
import type { SenderHistory } from '../reception/history/history.ts';
import { historyLearner } from '../reception/history/history-source.ts';
import { Judging } from '../reception/judging.ts';
import type { Login } from '../reception/login.ts';
import { Policies } from '../reception/policies.ts';
import { Repeats } from '../reception/repeats.ts';
import type { ExpandedAlias } from '../reception/requests.ts';
import type { AccountSettings, MailingList } from '../store/account-store.ts';
import type { EventRow } from '../store/event-store.ts';
import type { MessageRow } from '../store/message.ts';
import type { NewMessage } from '../store/queue-store.ts';
import type { Spool } from '../store/spool.ts';
import { systemClock } from '../util/clock.ts';
import { createLog, type Log } from '../util/log.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';
import { type Script, scriptedResolver } from './scripted-resolver.ts';

export interface ReceptionSetup {
  via: 'smtp' | 'submission' | 'lmtp';
  accounts?: readonly string[];
  aliases?: Readonly<Record<string, readonly string[]>>;
  /** Under which mail went on from here; by default none. */
  returnPaths?: Pick<ReturnPaths, 'reverse'>;
  /** Of those aliases that are mailing lists. */
  lists?: Readonly<Record<string, MailingList>>;
  records?: ZoneData;
  script?: Script;
  signers?: ReadonlyMap<string, DkimSigner>;
  clientAddress?: string;
  trusted?: boolean;
  /** By default, `secret` is everybody's password. */
  login?: Login;
  conduct?: Conduct | undefined;
  /** RCPTs in one transaction; by default 5. */
  recipients?: number;
  /** Submission: TLS is there, and this account has authenticated. */
  account?: string;
  spool?: Pick<Spool, 'begin'>;
  /** Message-IDs of what was sent from here. */
  sent?: readonly string[];
  /** Spans are written. */
  isTraced?: boolean;
  /** It is remembered what `250` may have been lost; else never. */
  lostAnswers?: boolean;
  policies?: readonly Policy[];
  /** Of each account that has any. */
  settings?: Readonly<Record<string, AccountSettings>>;
  talkedEarly?: boolean;
  greylist?: Greylist;
  history?: SenderHistory;
  /** Of the servers that share what they have learned. */
  clock?: FakeClock;
  /** Dossiers are not kept. */
  withoutDossiers?: boolean;
  /** On real sockets, under the system's clock. */
  filters?: readonly FilterConfig[];
}

export type Accepted = Omit<NewMessage, 'claimed'>;

export const hostname = 'mx.example.com';
const domains = [{ name: 'example.com' }, { name: 'example.org' }];
const noSpool: Pick<Spool, 'begin'> = { begin: () => Promise.reject(new Error('this test has no spool')) };

export class BehindDoors {
  readonly accepted: Accepted[] = [];
  /** Events that belong to no accepted message. */
  readonly events: EventRow[] = [];
  /** Of each message that has one, the queue id and the aliases whose expansion the sender is to hear of. */
  readonly expanded: string[][] = [];
  readonly logged: { level: number; msg: string; [field: string]: unknown }[] = [];
  readonly clock: FakeClock;
  /** Set: queue and store reject with it. */
  failure: Error | undefined;
  protected readonly setup: ReceptionSetup;
  #judged: Judging | undefined;
  readonly #repeats: Repeats;

  readonly #store = {
    appendEvents: async (events: EventRow[]) => {
      if (this.failure) throw this.failure;
      this.events.push(...events);
    },
  };

  constructor(setup: ReceptionSetup) {
    this.setup = setup;
    this.clock = setup.clock ?? fakeClock();
    this.#repeats = new Repeats(this.clock);
  }

  protected log(): Log {
    return createLog('info', { write: (line) => void this.logged.push(JSON.parse(line)) });
  }

  protected doorParts() {
    const { records = {}, script = {}, signers = new Map(), spool = noSpool, sent = [] } = this.setup;
    return {
      isTraced: this.setup.isTraced ?? false,
      hostname,
      headerBytes: 10_000,
      inlineBytes: 50_000,
      queue: { accept: (entry: Accepted) => this.#accept(entry) },
      reportExpansion: async (message: MessageRow, expanded: readonly ExpandedAlias[]) =>
        void this.expanded.push([message.queueId, ...expanded.map(({ recipient }) => recipient)]),
      directory: this.#directory(),
      store: this.#store,
      spool,
      ...(this.setup.lostAnswers && { lostAnswers: { repeats: this.#repeats, store: this.#store } }),
      resolver: scriptedResolver(records, script),
      signers,
      clock: this.clock,
      filters: this.#filters(),
      judging: this.#judged ?? this.#judging(sent),
    };
  }

  #judging(sent: readonly string[]): Judging {
    const { accounts = [], policies = [], withoutDossiers, records = {}, script = {} } = this.setup;
    const findAccount = async (address: string) =>
      accounts.includes(address)
        ? { address, passwordHash: '', createdAt: 0, settings: this.setup.settings?.[address] ?? {} }
        : undefined;
    const chosen = new Policies({ policies, domains, store: { findAccount } });
    const log = this.log();
    const sources = factSources(
      {
        hostname,
        domains,
        log,
        clock: this.clock,
        resolver: scriptedResolver(records, script),
        greylist: this.setup.greylist,
        history: this.setup.history,
        sent: withoutDossiers ? undefined : { isSentFromHere: async (id) => sent.includes(id) },
      },
      chosen.all,
    );
    const memos = { listMemos: async () => [], writeMemos: async () => undefined };
    this.#judged = new Judging({
      policies: chosen,
      finder: new FactFinder(sources, chosen.all),
      deferrals: new Deferrals({ store: memos, clock: this.clock }),
      learners: [
        ...(this.setup.history ? [historyLearner(this.setup.history)] : []),
        ...(this.setup.greylist ? [greylistLearner(this.setup.greylist)] : []),
      ],
    });
    return this.#judged;
  }

  #filters(): Filters | undefined {
    const { filters = [], records = {} } = this.setup;
    if (filters.length === 0) return undefined;
    const clock = systemClock;
    const [open, post, resolver] = [filterDialler(clock), filterPoster(clock), scriptedResolver(records)];
    return new Filters({
      ...{ filters, hostname, open, post, resolver, clock },
      store: this.#store,
      log: this.log(),
    });
  }

  async #accept(entry: Accepted): Promise<void> {
    if (this.failure) throw this.failure;
    this.accepted.push(entry);
  }

  #directory(): Directory {
    const { accounts = [], aliases = {}, lists = {}, returnPaths } = this.setup;
    const aliasOf = (address: string) => {
      const targets = aliases[address];
      const list = lists[address];
      return targets && { address, targets: [...targets], ...(list && { list }) };
    };
    return new Directory({
      domains,
      ...(returnPaths && { returnPaths }),
      store: {
        findAccount: async (address) =>
          accounts.includes(address) ? { address, passwordHash: '', createdAt: 0 } : undefined,
        findAlias: async (address) => aliasOf(address),
        firstAccount: async (domain) => accounts.find((address) => address.endsWith(`@${domain}`)),
        listAliases: async () => Object.keys(aliases).flatMap((address) => aliasOf(address) ?? []),
      },
    });
  }
}
