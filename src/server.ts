/**
 * The wiring diagram: makes a mail server of what lasts, what one reading of the configuration comes to, and what listens;
 * starts them, replaces the middle one while it runs, and stops them in reverse. Decides nothing.
 */

import type { Admin } from './admin/admin.ts';
import { snapshotOperations } from './admin/snapshot-operations.ts';
import type { Config } from './config/config.ts';
import type { Socket } from './net/listener.ts';
import type { Directory } from './queue/directory.ts';
import { type Clock, systemClock } from './util/clock.ts';
import type { Health } from './util/health.ts';
import type { Log } from './util/log.ts';
import { startControlSockets } from './wiring/control-sockets.ts';
import { makeEdition } from './wiring/edition.ts';
import { InForce } from './wiring/in-force.ts';
import { openLasting, startWatches } from './wiring/lasting.ts';
import { Listeners, type Listening, type NotBound } from './wiring/listeners.ts';
import { handInOperation, openHatch, startMaildrop } from './wiring/maildrop.ts';
import type { Doors, OpenAlready } from './wiring/places.ts';
import { type Reloaded, Reloading } from './wiring/reloading.ts';

export interface ServerOptions {
  config: Config;
  log: Log;
  clock?: Clock;
  /** Reads the configuration anew, checked whole. Default: there is none to be read, and `reload` changes nothing. */
  readConfig?: () => Promise<Config>;
  /** What listens already. */
  open?: OpenAlready;
  /** What commands ask of the process that the server runs in. Default: it cannot hand over. */
  process?: Pick<Admin, 'handOver' | 'whoRuns'>;
}

export interface RunningServer {
  /** What listens where; a port of 0 in the configuration shows as the one that was given. */
  readonly listeners: readonly Listening[];
  /** In force. */
  readonly config: Config;
  /**
   * Puts the configuration in force as it is now, all of it or nothing. Rejects with what is wrong, and nothing has changed
   * then: a ConfigError, or the system's error.
   */
  reload(): Promise<Reloaded>;
  /** What listens, for another process. */
  readonly doors: Doors;
  /** A connection that another process has taken at one of the doors. */
  welcome(place: string, socket: Socket): void;
  /** Stops, but leaves the doors open, where connections wait from now on. */
  standAside(): Promise<void>;
  /** Stops taking connections, ends the sessions, lets deliveries end, closes the store: each in a time of its own. */
  stop(): Promise<void>;
  health(): Health;
  /** Resolves when the store can promise nothing any more; the server must be stopped then. */
  failed: Promise<Error>;
}

/**
 * Resolves when every listener listens. Rejects with the first thing that cannot be had, everything before it undone:
 * StoreOpenError, the system's error of a port (with `address` and `port`), or an Error that names a file.
 */
export async function startServer({
  config,
  log,
  clock = systemClock,
  readConfig = async () => config,
  open = {},
  process,
}: ServerOptions): Promise<RunningServer> {
  await using parts = new AsyncDisposableStack();
  const inForce = new InForce(config);
  const lasting = await openLasting({ inForce, log, clock }, parts);
  const { store, directory, queue, watch } = lasting;
  const edition = await makeEdition(config, lasting, inForce);
  inForce.replace(edition);
  parts.defer(() => inForce.edition.retire());
  await warnOfMissingPostmasters(directory, log);
  parts.defer(() => queue.stop());
  startWatches(lasting, inForce, parts);

  const listeners = new Listeners(inForce, lasting, open);
  const reloading = new Reloading({ inForce, lasting, listeners, readConfig });
  // A backup goes on, whatever is reloaded meanwhile.
  const snapshots = snapshotOperations({ clock, log, freeze: () => store.freeze() });
  const hatch = openHatch(inForce);
  const handIns = handInOperation(hatch);
  const admin = () => ({
    ...inForce.edition.admin,
    reload: () => reloading.reload(),
    ...process,
    ...snapshots,
    ...handIns,
  });
  await startControlSockets({ inForce, admin, log, clock }, parts);
  parts.defer(() => reloading.stop());
  const change = await listeners.prepare(config).catch(({ cause }: NotBound) => {
    throw cause;
  });
  parts.defer(() => listeners.close());
  change.make(edition);
  warnOfUnclaimed(listeners, log);
  edition.acme?.start();
  queue.start();
  await startMaildrop({ ...lasting, hatch }, inForce, parts);
  watch.started();

  const running = parts.move();
  return {
    get listeners() {
      return listeners.listening;
    },
    get config() {
      return inForce.config;
    },
    reload: () => reloading.reload(),
    get doors() {
      return listeners.doors;
    },
    welcome(place, socket) {
      const door = listeners.doors.get(place);
      if (door === undefined) socket.destroy();
      else door.welcome(socket);
    },
    standAside() {
      watch.stopping();
      listeners.leaveOpen();
      return running.disposeAsync();
    },
    failed: store.broken,
    health: watch.health,
    stop() {
      watch.stopping();
      return running.disposeAsync();
    },
  };
}

function warnOfUnclaimed({ unclaimed }: Listeners, log: Log): void {
  for (const { at } of unclaimed)
    log.warn(
      at,
      'a socket was passed on to us that no [[listener]] is for: who connects there waits in vain',
    );
}

/** Mail to postmaster@ and abuse@ must reach a person (RFC 5321 §4.5.1, RFC 2142), and so must our own notices. */
async function warnOfMissingPostmasters(directory: Directory, log: Log): Promise<void> {
  for (const domain of await directory.domainsWithoutPostmaster())
    log.warn(
      { domain },
      'nobody is postmaster of this domain; add that account, or name another in the configuration',
    );
}
