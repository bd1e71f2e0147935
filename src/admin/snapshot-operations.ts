/**
 * The store held as it is while somebody copies it (backup/): as long as its connection is there, and by a lease, so that a
 * program that is stopped in the middle of that does not hold it for ever.
 */

import { randomUUID } from 'node:crypto';
import type { Freeze } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import type { Admin } from './admin.ts';
import { AdminError } from './admin-error.ts';

/** Without a renewal the store is let go after so long. */
export const snapshotLeaseMs = 60_000;

export type SnapshotOperations = Pick<Admin, 'beginSnapshot' | 'renewSnapshot' | 'endSnapshot'>;

export interface SnapshotParts {
  clock: Clock;
  log?: Log | undefined;
  /** Absent where no server runs. */
  freeze?: (() => Promise<Freeze>) | undefined;
}

interface Lease {
  id: string;
  /** Resolves when the store is frozen. */
  frozen: Promise<Freeze>;
  cancel(): void;
}

export function snapshotOperations({ clock, log, freeze }: SnapshotParts): SnapshotOperations {
  let lease: Lease | undefined;
  /** The end of the one before: the store is frozen once at a time. Never rejects. */
  let ended: Promise<unknown> = Promise.resolve();

  /** Resolves to whether nothing has changed meanwhile. */
  function end({ frozen, cancel }: Lease): Promise<boolean> {
    cancel();
    lease = undefined;
    const held = frozen.then((each) => each.end());
    ended = held.catch(() => undefined); // whoever ends it hears of it
    return held;
  }

  const wait = (id: string) => clock.after(snapshotLeaseMs, () => letGo(id));

  function letGo(id: string): void {
    if (lease?.id !== id) return;
    log?.warn({}, 'a backup was not heard of any more: the store is not held for it any longer');
    end(lease).catch((error: unknown) => log?.error({ err: error }, 'cannot let go of the store'));
  }

  function leaseOf(id: string): Lease {
    if (lease?.id === id) return lease;
    throw new AdminError(
      'too-late',
      `The server was not heard from for ${snapshotLeaseMs / 1000} s, and has let go of the store: the snapshot is not whole. Run the backup again.`,
    );
  }

  return {
    async beginSnapshot(gone) {
      if (freeze === undefined)
        throw new AdminError('no-server', 'Only a running server holds its store. Copy it under its lock.');
      if (lease !== undefined)
        throw new AdminError('in-use', 'Another backup is under way. Wait for its end, then try again.');
      const id = randomUUID();
      const begun: Lease = { id, cancel: wait(id), frozen: ended.then(freeze) };
      lease = begun;
      gone?.addEventListener('abort', () => letGo(id), { once: true });
      const at = clock.now();
      try {
        await begun.frozen;
      } catch (error) {
        begun.cancel();
        if (lease === begun) lease = undefined;
        throw error;
      }
      leaseOf(id);
      return { id, at, leaseMs: snapshotLeaseMs };
    },
    async renewSnapshot({ id }) {
      const held = leaseOf(id);
      held.cancel();
      held.cancel = wait(id);
    },
    async endSnapshot({ id }) {
      return { held: await end(leaseOf(id)) };
    },
  };
}
