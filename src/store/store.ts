/**
 * The one interface to everything durable. Whatever a method's promise has resolved for is on disk; while it is
 * pending, nothing is promised. Engines: `sqlite/` (embedded, one writer thread with group commit); PostgreSQL later.
 * Knows messages, jobs, events and accounts as rows; what they mean is decided above.
 */

import type { AccountStore } from './account-store.ts';
import type { EventStore } from './event-store.ts';
import type { MemoStore } from './memo-store.ts';
import type { QueueStore } from './queue-store.ts';
import type { ReportStore } from './report-store.ts';
import type { Spool } from './spool.ts';

export interface Freeze {
  /** To be called once. Resolves to false where the file has changed before: what was copied may be worth nothing. */
  end(): Promise<boolean>;
}

/**
 * Every method rejects with StoreFullError when the disk is full (nothing was written, later calls may succeed), with
 * StoreBrokenError when nothing can be promised any more, and with a plain Error when this operation alone was refused.
 */
export interface Store extends QueueStore, EventStore, AccountStore, MemoStore, ReportStore {
  /** Where large contents are written before their message is accepted. */
  readonly spool: Spool;
  /**
   * Leaves as they are, for somebody who copies them, the database file, which holds all that was acknowledged before, and
   * the spool files that it names. One at a time.
   */
  freeze(): Promise<Freeze>;

  /** Resolves with the error when the store can promise nothing any more (a failed fsync, a lost disk). */
  readonly broken: Promise<Error>;
  close(): Promise<void>;
}
