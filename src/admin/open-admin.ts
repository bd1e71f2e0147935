/**
 * How a command gets at the data: through the running server where there is one, else by opening the store itself,
 * under its lock. There is never a second writer.
 */

import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { StoreOpenError } from '../store/errors.ts';
import { openStore } from '../store/sqlite/open.ts';
import type { Store } from '../store/store.ts';
import { type Clock, sleep } from '../util/clock.ts';
import { type Admin, AdminError } from './admin.ts';
import { remoteAdmin } from './control-client.ts';
import { socketName } from './control-protocol.ts';
import { localAdmin } from './local-admin.ts';

/** A server that starts or stops holds the lock without answering, but not for longer than this. */
const patienceMs = 3000;
const pauseMs = 100;

export const controlPath = ({ dataDir }: Pick<Config, 'dataDir'>): string => join(dataDir, socketName);

/** Rejects with an AdminError('in-use') or with what the store cannot be opened for. */
export async function openAdmin(config: Config, clock: Clock): Promise<Admin> {
  const giveUpAt = clock.now() + patienceMs;
  for (;;) {
    const admin = (await remoteAdmin(controlPath(config))) ?? (await openLocally(config, clock));
    if (admin !== undefined) return admin;
    if (clock.now() >= giveUpAt) throw inUse(config);
    await sleep(clock, pauseMs);
  }
}

/** Undefined where another process has the store. */
async function openLocally({ dataDir, domains }: Config, clock: Clock): Promise<Admin | undefined> {
  let store: Store;
  try {
    store = await openStore({ dataDir, clock });
  } catch (error) {
    if (error instanceof StoreOpenError && error.kind === 'in-use') return undefined;
    throw error;
  }
  return { ...localAdmin({ store, domains, clock }), close: () => store.close() };
}

const inUse = ({ dataDir }: Config) =>
  new AdminError(
    'in-use',
    `Another process has ${dataDir} open but does not answer at ${socketName}. ` +
      'Wait until it has started or stopped, or end it if it hangs.',
  );
