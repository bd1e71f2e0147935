/**
 * How a command gets at the data: through the running server where there is one, else by opening the store itself,
 * under its lock. There is never a second writer.
 */

import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { offlineOperatorParts } from '../delivery/operator.ts';
import { keepingDossiers } from '../dossier/retention.ts';
import { controlSocketName } from '../net/control-socket.ts';
import { Brake, brakePolicy } from '../queue/brake/brake.ts';
import { Directory } from '../queue/directory.ts';
import { Suppressions, suppressionPolicy } from '../queue/suppressions.ts';
import { Bans, banPolicy } from '../reception/abuse/bans.ts';
import { Greylist } from '../reception/greylist/greylist.ts';
import { SenderHistory } from '../reception/history/history.ts';
import { errorCode, StoreOpenError } from '../store/errors.ts';
import { describeOwner } from '../store/sqlite/lock-owner.ts';
import { openStore } from '../store/sqlite/open.ts';
import type { Store } from '../store/store.ts';
import { type Clock, sleep } from '../util/clock.ts';
import { createLog } from '../util/log.ts';
import { queueIds } from '../util/queue-id.ts';
import type { Admin } from './admin.ts';
import { AdminError } from './admin-error.ts';
import type { Patience } from './answer-watch.ts';
import { remoteAdmin } from './control-client.ts';
import { localAdmin } from './local-admin.ts';
import { groupRoles, rolePath } from './roles.ts';

/** A server that starts or stops holds the lock without answering, but not for longer than this. */
export const patienceMs = 3000;
export const pauseMs = 100;
const dayMs = 24 * 3600_000;

export const controlPath = ({ dataDir }: Pick<Config, 'dataDir'>): string => join(dataDir, controlSocketName);

/** Rejects with an AdminError('in-use') or with what the store cannot be opened for. */
export async function openAdmin(config: Config, clock: Clock, patience: Patience = {}): Promise<Admin> {
  const giveUpAt = clock.now() + patienceMs;
  for (;;) {
    const admin = (await findServer(config, patience)) ?? (await openLocally(config, clock));
    if (admin !== undefined) return admin;
    if (clock.now() >= giveUpAt) throw inUse(config);
    await sleep(clock, pauseMs);
  }
}

/**
 * By the best socket that this user may open: the administrator's, or that of a role. Undefined where no server listens. Rejects
 * with the system's error where it may open none.
 */
export async function findServer(config: Config, patience: Patience = {}): Promise<Admin | undefined> {
  const waiting = { ...patienceWith(config), ...patience };
  try {
    return await remoteAdmin(controlPath(config), waiting);
  } catch (error) {
    if (!isForbidden(error)) throw error;
    for (const role of groupRoles) {
      const path = rolePath(config, role);
      const admin = path === undefined ? undefined : await remoteAdmin(path, waiting).catch(unlessForbidden);
      if (admin !== undefined) return admin;
    }
    throw error;
  }
}

/** By the administrator's socket alone. Rejects with the system's error where this user may not open it. */
export const findAsAdministrator = (config: Pick<Config, 'dataDir'>): Promise<Admin | undefined> =>
  remoteAdmin(controlPath(config), patienceWith(config));

const patienceWith = ({ dataDir }: Pick<Config, 'dataDir'>) => ({ owner: () => describeOwner(dataDir) });

const isForbidden = (error: unknown): boolean =>
  errorCode(error) === 'EACCES' || errorCode(error) === 'EPERM';

function unlessForbidden(error: unknown): undefined {
  if (!isForbidden(error)) throw error;
}

/** Undefined where another process has the store. */
async function openLocally(config: Config, clock: Clock): Promise<Admin | undefined> {
  let store: Store;
  try {
    store = await openStore({ dataDir: config.dataDir, clock });
  } catch (error) {
    if (error instanceof StoreOpenError && error.kind === 'in-use') return undefined;
    throw error;
  }
  const { domains, dossier } = config;
  const directory = new Directory({ store, domains });
  const kept = keepingDossiers(store, () => dossier.enabled);
  const admin = localAdmin({
    ...offlineOperatorParts(config, { store, clock, directory }),
    store: kept,
    domains,
    policies: config.policies,
    directory,
    suppressions: () =>
      Suppressions.read({
        store: kept,
        clock,
        policy: suppressionPolicy(config.suppression),
        nextQueueId: queueIds(clock.now, Math.random),
      }),
    bans: () => Bans.read({ store, clock, policy: banPolicy(config.abuse), log: createLog('silent') }),
    brake: () => Brake.read({ store, clock, policy: brakePolicy(config.abuse), log: createLog('silent') }),
    senders: () => SenderHistory.read({ store, clock, log: createLog('silent') }),
    greylist: () => Greylist.read({ store, clock, log: createLog('silent'), config: config.greylisting }),
    clock,
    dataDir: config.dataDir,
    graceMs: config.accounts.graceDays * dayMs,
    dossierMs: dossier.days * dayMs,
  });
  return { ...admin, close: () => store.close() };
}

export const inUse = ({ dataDir }: Config) =>
  new AdminError(
    'in-use',
    `Another process${describeOwner(dataDir)} has ${dataDir} open but does not answer at ${controlSocketName}. ` +
      'Wait until it has started or stopped, or end it if it hangs.',
  );
