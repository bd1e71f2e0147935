/**
 * The store held as it is for a backup: by the running server, or, where none runs, under its lock. There is never a second
 * writer.
 */

import { existsSync, statSync } from 'node:fs';
import type { Held } from '../backup/snapshot.ts';
import type { Config } from '../config/config.ts';
import { StoreOpenError } from '../store/errors.ts';
import { whileOffline } from '../store/sqlite/offline.ts';
import { openStore } from '../store/sqlite/open.ts';
import { storeFiles } from '../store/sqlite/store-files.ts';
import { type Clock, sleep } from '../util/clock.ts';
import type { Admin } from './admin.ts';
import { AdminError } from './admin-error.ts';
import { findAsAdministrator, inUse, patienceMs, pauseMs } from './open-admin.ts';

/** Rejects with an AdminError, or with what the store cannot be opened for. */
export async function holdStore(config: Config, clock: Clock): Promise<Held> {
  const giveUpAt = clock.now() + patienceMs;
  for (;;) {
    const held = await tryToHold(config, clock);
    if (!(held instanceof AdminError)) return held;
    if (clock.now() >= giveUpAt) throw held;
    await sleep(clock, pauseMs);
  }
}

/** An AdminError where another has it, which may be over in a moment: it starts or stops, or was a backup that was killed. */
async function tryToHold(config: Config, clock: Clock): Promise<Held | AdminError> {
  const admin = await findAsAdministrator(config);
  if (admin === undefined) return (await holdOffline(config, clock)) ?? inUse(config);
  try {
    return await holdLive(admin, clock);
  } catch (error) {
    if (error instanceof AdminError && error.code === 'in-use') return error;
    throw error;
  }
}

async function holdLive(admin: Admin, clock: Clock): Promise<Held> {
  try {
    const { id, at, leaseMs } = await admin.beginSnapshot();
    const lost = new AbortController();
    const stopRenewing = renewEvery(leaseMs / 3, clock, () =>
      admin.renewSnapshot({ id }).catch((error: unknown) => lost.abort(error)),
    );
    return {
      at,
      live: true,
      signal: lost.signal,
      async end() {
        stopRenewing();
        try {
          lost.signal.throwIfAborted();
          const { held } = await admin.endSnapshot({ id });
          if (!held) throw changedMeanwhile();
        } finally {
          await admin.close();
        }
      },
    };
  } catch (error) {
    await admin.close();
    throw error;
  }
}

function renewEvery(intervalMs: number, clock: Clock, renew: () => Promise<void>): () => void {
  let cancel = clock.after(intervalMs, next);
  function next(): void {
    cancel = clock.after(intervalMs, next);
    void renew(); // it never rejects
  }
  return () => cancel();
}

const changedMeanwhile = () =>
  new AdminError(
    'too-late',
    'The server took in so much mail meanwhile that it could not wait for the copy: the snapshot is not whole. ' +
      'Run the backup again, when there is less to do or onto a faster disk.',
  );

/** Undefined where another process has the store. */
async function holdOffline({ dataDir }: Config, clock: Clock): Promise<Held | undefined> {
  try {
    await copyLogBack(dataDir, clock);
    return await holdLocked(dataDir, clock);
  } catch (error) {
    if (error instanceof StoreOpenError && error.kind === 'in-use') return undefined;
    throw error;
  }
}

/** After a kill the end of the store is in its log. A store that was closed is not touched. */
async function copyLogBack(dataDir: string, clock: Clock): Promise<void> {
  const { database, log } = storeFiles(dataDir);
  if (!existsSync(database) || !existsSync(log) || statSync(log).size === 0) return;
  await (await openStore({ dataDir, clock })).close();
}

function holdLocked(dataDir: string, clock: Clock): Promise<Held> {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  return new Promise((resolve, reject) => {
    const done = whileOffline(dataDir, async () => {
      const { signal } = new AbortController();
      resolve({
        at: clock.now(),
        live: false,
        signal,
        async end() {
          end();
          await done;
        },
      });
      await ended;
    });
    done.catch(reject); // before it was held
  });
}
