/** What is so at this moment: the queue, sessions, bans, held accounts, health. Looked at when somebody asks for it. */

import { Counter, Gauge, type Registry } from 'prom-client';
import type { QueueCounts } from '../store/queue-store.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { Health } from '../util/health.ts';

export interface StateParts {
  registry: Registry;
  store: Pick<Store, 'countJobs' | 'listJobs'>;
  clock: Clock;
  health(): Health;
  bans(): number;
  /** Accounts whose mail is held. */
  braked(): number;
  /** When each certificate ends, in ms since the epoch, by its first name. */
  certificates(): readonly { name: string; endsAt: number }[];
  version: string;
}

/** The queue is counted as often at most: with a million jobs that is a walk. */
export const queueCountMs = 15_000;

export interface Sessions {
  /** One has begun; to be called with what resolves when it is over. */
  began(protocol: string, closed: Promise<unknown>): void;
  /** How a login ended. */
  login(outcome: 'welcome' | 'wrong' | 'busy' | 'malformed' | 'suspended'): void;
}

export function stateMetrics(parts: StateParts): void {
  const { registry } = parts;
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      ...{ name, help, registers },
      collect() {
        this.set(read());
      },
    });
  gauge('posthorn_live', 'Whether what is on disk can be relied on.', () => Number(parts.health().live));
  gauge('posthorn_ready', 'Whether mail is taken in and sent on.', () => Number(parts.health().ready));
  gauge('posthorn_bans', 'Networks that are banned.', parts.bans);
  gauge('posthorn_braked_accounts', 'Accounts whose mail is held, for they may be taken over.', parts.braked);
  new Gauge({
    name: 'posthorn_build_info',
    help: 'Always 1; which version runs.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version: parts.version, node: process.version }, 1);
  new Gauge({
    name: 'posthorn_certificate_expiry_seconds',
    help: 'When a certificate ends, in seconds since the epoch.',
    labelNames: ['name'],
    registers,
    collect() {
      this.reset();
      for (const { name, endsAt } of parts.certificates()) this.set({ name }, endsAt / 1000);
    },
  });
  queueMetrics(parts);
}

function queueMetrics({ registry, store, clock }: StateParts): void {
  const registers = [registry];
  const count = countedNowAndThen(store, clock);
  new Gauge({
    name: 'posthorn_queue_jobs',
    help: 'Recipients in the queue, by state; counted every 15 s at most.',
    labelNames: ['state'],
    registers,
    async collect() {
      const { counts } = await count();
      for (const state of ['waiting', 'held', 'underway'] as const) this.set({ state }, counts[state]);
    },
  });
  new Gauge({
    name: 'posthorn_queue_oldest_seconds',
    help: 'Age of the message that has waited longest; 0 where none waits.',
    registers,
    async collect() {
      const { oldestAt } = await count();
      this.set(oldestAt === undefined ? 0 : Math.max(0, clock.now() - oldestAt) / 1000);
    },
  });
}

interface QueueCount {
  counts: QueueCounts;
  /** When what has waited longest was queued. */
  oldestAt: number | undefined;
}

/** Both gauges ask at the same time. */
function countedNowAndThen(store: StateParts['store'], clock: Clock): () => Promise<QueueCount> {
  let last: { at: number; count: Promise<QueueCount> } | undefined;
  const countAnew = async (): Promise<QueueCount> => {
    const [counts, { jobs }] = await Promise.all([
      store.countJobs({}),
      store.listJobs({ state: 'waiting', limit: 1 }), // in the order of their queue ids, and so of their age
    ]);
    return { counts, oldestAt: jobs[0]?.queuedAt };
  };
  return () => {
    const at = clock.now();
    if (last === undefined || at - last.at >= queueCountMs) last = { at, count: countAnew() };
    return last.count;
  };
}

export function sessionMetrics(registry: Registry): Sessions {
  const registers = [registry];
  const open = new Gauge({
    name: 'posthorn_open_sessions',
    help: 'Sessions that are open, by protocol.',
    labelNames: ['protocol'],
    registers,
  });
  const begun = new Counter({
    name: 'posthorn_sessions_total',
    help: 'Sessions that have begun, by protocol.',
    labelNames: ['protocol'],
    registers,
  });
  const logins = new Counter({
    name: 'posthorn_logins_total',
    help: 'Logins by how they ended.',
    labelNames: ['outcome'],
    registers,
  });
  return {
    began(protocol, closed) {
      begun.inc({ protocol });
      open.inc({ protocol });
      void closed.finally(() => open.dec({ protocol }));
    },
    login: (outcome) => logins.inc({ outcome }),
  };
}
