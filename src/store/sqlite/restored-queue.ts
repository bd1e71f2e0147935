/**
 * The queue of a store that was brought back as it was at an earlier moment. What waited then may have been delivered since:
 * it is in doubt. Mail for other servers is held until somebody who knows more releases it; mail for our own mailboxes goes
 * on, since a delivery that was made before is found by its name in the mailbox, which was brought back too.
 */

import type { Database } from 'better-sqlite3';
import { never } from '../never.ts';
import { ourselves } from './destinations.ts';
import { type OpenEngine, openEngine } from './open-engine.ts';
import type { JobName, Operations } from './protocol.ts';
import { transactionOf } from './transaction.ts';

/** Who holds it, as the queue shows that. */
const restoredBy = 'restore';
const reason = 'restored from a backup: it may have been delivered after the snapshot was made';

export interface RestoredQueue {
  /** Recipients at other servers, held from now on. */
  held: number;
  /** Those that go on when the server starts. */
  goesOn: number;
}

export interface ResumeOptions {
  /** When the store was as it is. */
  snapshotAt: number;
  now: number;
  /** Nothing was delivered since: nothing is held. */
  release: boolean;
}

/** Jobs that are held in one transaction, and destinations that are listed at once. */
const stepSize = 1000;

/**
 * Opens the store, which brings its schema up to date and makes sums of its pages, and closes it. The time between the
 * snapshot and now counts for no job. Throws StoreOpenError and what SQLite does.
 */
export function resumeQueue(dataDir: string, options: ResumeOptions): RestoredQueue {
  const opened = openEngine({ dataDir, keepsEarlier: false });
  let state: 'whole' | 'lost' = 'lost';
  try {
    const steps = stepsOf(opened);
    steps.run(() => standStill(opened.database, options));
    const held = options.release ? 0 : holdAll(opened, steps, options.now);
    const goesOn = opened.database
      .prepare<[], number>(`SELECT count(*) FROM jobs WHERE expires_at < ${never}`)
      .pluck()
      .get();
    state = 'whole';
    return { held, goesOn: goesOn ?? 0 };
  } finally {
    opened.close(state);
  }
}

interface Steps {
  /** In a transaction of its own. */
  run<T>(action: () => T): T;
}

function stepsOf({ database, books }: OpenEngine): Steps {
  const transaction = transactionOf(database, books);
  return {
    run(action) {
      transaction.begin();
      const result = action();
      transaction.commit();
      books.checkpoint();
      return result;
    },
  };
}

function standStill(database: Database, { snapshotAt, now, release }: ResumeOptions): void {
  database
    .prepare(
      `UPDATE jobs SET expires_at = expires_at + ?, in_doubt = max(in_doubt, ?) WHERE expires_at < ${never}`,
    )
    .run(Math.max(0, now - snapshotAt), release ? 0 : 1);
}

function holdAll({ engine }: OpenEngine, steps: Steps, now: number): number {
  let held = 0;
  for (const destination of destinationsOf(engine)) {
    let after: JobName | undefined;
    do {
      const step = steps.run(() => holdSome(engine, destination, { after, now }));
      held += step.jobs.length;
      after = step.next;
    } while (after !== undefined);
  }
  return held;
}

/** Other servers'. */
function destinationsOf(engine: OpenEngine['engine']): string[] {
  const all: string[] = [];
  for (let after: string | undefined, page: string[] = []; ; after = page.at(-1)) {
    // The engine answers each operation with its result, which its type does not say.
    page = engine.perform(['listDestinations', { after, limit: stepSize }]) as string[];
    all.push(...page.filter((destination) => destination !== ourselves));
    if (page.length < stepSize) return all;
  }
}

function holdSome(
  engine: OpenEngine['engine'],
  destination: string,
  { after, now }: { after: JobName | undefined; now: number },
): ReturnType<Operations['changeJobs']> {
  const events = { done: [now, 'held', { by: restoredBy, reason }] satisfies [number, string, object] };
  const change = { kind: 'hold' } as const;
  const step = { filter: { destination }, after, limit: stepSize, change, now, by: restoredBy, events };
  return engine.perform(['changeJobs', step]) as ReturnType<Operations['changeJobs']>; // the same
}
