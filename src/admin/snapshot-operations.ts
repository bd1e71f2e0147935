/**
 * The store held as it is while somebody copies it (backup/): by a lease, so that a program that is killed in the middle of
 * that does not hold it for ever.
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
  /** Absent until it is frozen. */
  frozen?: Freeze;
  cancel(): void;
}

export function snapshotOperations({ clock, log, freeze }: SnapshotParts): SnapshotOperations {
  let lease: Lease | undefined;

  const wait = (id: string) => clock.after(snapshotLeaseMs, () => void letGo(id));

  async function letGo(id: string): Promise<void> {
    const ended = lease?.id === id ? lease : undefined;
    lease = ended === undefined ? lease : undefined;
    log?.warn({}, 'a backup was not heard of any more: the store is not held for it any longer');
    try {
      await ended?.frozen?.end();
    } catch (error) {
      log?.error({ err: error }, 'cannot let go of the store');
    }
  }

  function leaseOf(id: string): Lease {
    if (lease?.id === id) return lease;
    throw new AdminError(
      'too-late',
      `The server was not heard from for ${snapshotLeaseMs / 1000} s, and has let go of the store: the snapshot is not whole. Run the backup again.`,
    );
  }

  return {
    async beginSnapshot() {
      if (freeze === undefined)
        throw new AdminError('no-server', 'Only a running server holds its store. Copy it under its lock.');
      if (lease !== undefined)
        throw new AdminError('in-use', 'Another backup is under way. Wait for its end, then try again.');
      const id = randomUUID();
      const begun: Lease = { id, cancel: wait(id) };
      lease = begun;
      const at = clock.now();
      try {
        begun.frozen = await freeze();
      } catch (error) {
        begun.cancel();
        lease = undefined;
        throw error;
      }
      return { id, at, leaseMs: snapshotLeaseMs };
    },
    async renewSnapshot({ id }) {
      const held = leaseOf(id);
      held.cancel();
      held.cancel = wait(id);
    },
    async endSnapshot({ id }) {
      const held = leaseOf(id);
      held.cancel();
      lease = undefined;
      return { held: (await held.frozen?.end()) === true };
    },
  };
}
