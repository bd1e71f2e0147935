/**
 * Makes one snapshot, in this order, which is what makes it consistent while the server runs:
 *
 * 1. What programs have handed in (`maildrop/`), before the store takes it.
 * 2. The store is held: its database file has all that was acknowledged by then, and stays as it is while it is copied with
 *    the spool files that it names; then it is let go.
 * 3. Mailboxes and the rest. What was delivered before has left the queue and is in its mailbox; what is delivered now is in
 *    both, and a delivery that is repeated after a restore finds it there by its name.
 *
 * All of it is on disk before the snapshot gets its name.
 */

import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Config } from '../config/config.ts';
import { createDirectory } from '../store/directory-sync.ts';
import { spoolDirectory } from '../store/spool.ts';
import {
  DamagedCopyError,
  type DatabaseCopy,
  examineCopy,
  type NamedSpoolFile,
} from '../store/sqlite/database-copy.ts';
import { storeFiles } from '../store/sqlite/store-files.ts';
import { ownVersion } from '../util/own-version.ts';
import { type DataEntry, dataFiles, findMessage, handedInFiles } from './data-files.ts';
import type { BackupDirectory } from './directory.ts';
import { type Earlier, findEarlier, type Saved, saveFile, saveLargeFile, saveMessage } from './earlier.ts';
import { copyFile, forEachOf, sumOfFile, syncDirectories } from './files.ts';
import { saveHandedIn } from './handed-in.ts';
import { BackupError, type SnapshotPaths, snapshotPaths } from './layout.ts';
import { backupFormat, type Manifest, writeManifest } from './manifest.ts';
import { outsideFiles } from './outside-files.ts';
import { ownerName } from './owner.ts';
import { createSums, type SumsWriter } from './sums.ts';

/** The store, held as it is. */
export interface Held {
  /** A moment before it was. */
  at: number;
  live: boolean;
  /** Aborted where it is not held any more. */
  signal: AbortSignal;
  /** Lets it go. Rejects where it was not held all the time. */
  end(): Promise<void>;
}

export interface SnapshotParts {
  config: Pick<Config, 'dataDir' | 'file' | 'hostname'> & { limits: Pick<Config['limits'], 'messageBytes'> };
  into: BackupDirectory;
  hold(): Promise<Held>;
  now(): number;
}

export interface SnapshotReport {
  name: string;
  at: number;
  live: boolean;
  files: number;
  bytes: number;
  /** Of these, what was copied; the rest is as it was in the snapshot before. */
  copiedFiles: number;
  copiedBytes: number;
  /** For how long the store was held. */
  heldMs: number;
  warnings: string[];
}

/** Files that are copied at once: each waits for its sync. */
const atOnce = 16;
/** A message that is moved while it is copied is looked for so many times. */
const mostLooks = 5;

/** Rejects with a BackupError, and the system's error; nothing is left of the snapshot then. */
export async function makeSnapshot(parts: SnapshotParts): Promise<SnapshotReport> {
  const { config, into, now } = parts;
  const before = (await into.snapshots()).at(-1);
  const { earlier, warnings } = await findEarlier(before && join(into.path, before));
  const { name, draft } = await into.begin(now());
  try {
    await using snapshot = await beginSnapshot(draft, config, { earlier, warnings });
    const report = await snapshot.make(parts.hold);
    await into.publish(name);
    return { name, ...report };
  } catch (error) {
    await into.abandon(name);
    throw error;
  }
}

async function beginSnapshot(
  draft: string,
  config: SnapshotParts['config'],
  before: { earlier: Earlier; warnings: readonly string[] },
): Promise<Snapshot> {
  const paths = snapshotPaths(draft);
  return new Snapshot({ paths, config, ...before, sums: await createSums(paths.sums) });
}

interface SnapshotState {
  paths: SnapshotPaths;
  config: SnapshotParts['config'];
  earlier: Earlier;
  /** Known before it was begun. */
  warnings: readonly string[];
  sums: SumsWriter;
}

class Snapshot implements AsyncDisposable {
  readonly #state: SnapshotState;
  readonly #counts = { files: 0, bytes: 0, copiedFiles: 0, copiedBytes: 0 };
  readonly #warnings: string[];
  readonly #handedIn: Record<string, number> = {};
  /** Whether what is being done is still of use. */
  #signal = new AbortController().signal;

  constructor(state: SnapshotState) {
    this.#state = state;
    this.#warnings = [...state.warnings];
  }

  async make(hold: SnapshotParts['hold']): Promise<Omit<SnapshotReport, 'name'>> {
    const { paths, config } = this.#state;
    await this.#saveAll(handedInFiles(config.dataDir));
    const begun = performance.now();
    const held = await hold();
    const { schemaVersion } = await this.#saveStore(held);
    const heldMs = Math.round(performance.now() - begun);
    await this.#saveAll(dataFiles(config.dataDir));
    const outside = await this.#saveOutside();
    await this.#state.sums.finish();
    const { at, live } = held;
    const { files, bytes } = this.#counts;
    const manifest: Manifest = {
      format: backupFormat,
      posthorn: await ownVersion(),
      schemaVersion,
      at,
      live,
      hostname: config.hostname,
      dataDir: config.dataDir,
      owner: await ownerName(config.dataDir),
      configFile: config.file,
      outside,
      handedIn: this.#handedIn,
      files,
      bytes,
      warnings: this.#warnings,
      sumsSha256: (await sumOfFile(paths.sums))?.sum ?? '',
    };
    await writeManifest(paths.manifest, manifest);
    await syncDirectories(paths.directory);
    return { at, live, ...this.#counts, heldMs, warnings: this.#warnings };
  }

  /** However it ends, the store is let go. */
  async #saveStore(held: Held): Promise<DatabaseCopy> {
    const { paths, config } = this.#state;
    this.#signal = held.signal;
    let copy: DatabaseCopy;
    try {
      const { database, sums } = storeFiles(config.dataDir);
      const own = storeFiles(paths.data);
      await createDirectory(own.directory);
      await this.#saveDatabase(database);
      copy = examine(own, sums);
      const directory = spoolDirectory(paths.data);
      await createDirectory(directory);
      await forEachOf(copy.spooled, atOnce, (file) => this.#saveSpooled(file));
    } catch (error) {
      await held.end().catch(() => undefined); // why it failed is worth more than what came of that
      throw error;
    }
    await held.end();
    this.#signal = new AbortController().signal;
    return copy;
  }

  async #saveDatabase(from: string): Promise<void> {
    const { paths, earlier } = this.#state;
    const path = 'data/store/posthorn.db';
    const saved = await saveLargeFile(earlier, { from, to: join(paths.directory, path), path }, this.#signal);
    if (saved === undefined)
      throw new BackupError('missing', `there is no ${from}. Check dataDir in the configuration.`);
    await this.#add(path, saved);
  }

  /** Of the file as much as is the message: what follows was another one. */
  async #saveSpooled({ name, sizeBytes, sum }: NamedSpoolFile): Promise<void> {
    const path = `data/spool/${name}`;
    let crc = 0;
    const seen = (octets: Buffer) => {
      crc = crc32(octets, crc);
    };
    const copied = await copyFile(
      join(spoolDirectory(this.#state.config.dataDir), name),
      join(this.#state.paths.directory, path),
      { limitBytes: sizeBytes, seen, signal: this.#signal },
    );
    const isWhole = copied?.sizeBytes === sizeBytes && (sum === null || sum === crc);
    if (!isWhole)
      this.#warn(`spool/${name}: the octets of a message are not there, or not as they were accepted`);
    if (copied !== undefined) await this.#add(path, { ...copied, isNew: true });
  }

  async #saveAll(entries: AsyncIterable<DataEntry>): Promise<void> {
    const { paths, config } = this.#state;
    await forEachOf(this.#withDirectories(entries), atOnce, async ({ path, message, handedIn }) => {
      if (handedIn !== undefined) return this.#saveHandedIn(path, handedIn);
      if (message === undefined) return void (await this.#save(`data/${path}`, join(config.dataDir, path)));
      let current: string | undefined = path;
      for (let look = 0; current !== undefined && look < mostLooks; look++) {
        const [from, to] = [join(config.dataDir, current), join(paths.data, current)];
        const saved = await saveMessage(this.#state.earlier, { from, to, message }, this.#signal);
        if (saved !== undefined) return this.#add(`data/${current}`, saved);
        current = await findMessage(config.dataDir, message);
      }
    });
  }

  async #saveHandedIn(path: string, name: string): Promise<void> {
    const { paths, config } = this.#state;
    const [from, to] = [join(config.dataDir, path), join(paths.data, path)];
    const { messageBytes } = config.limits;
    const saved = await saveHandedIn({ from, to, messageBytes, signal: this.#signal });
    if (saved === undefined) return;
    const { uid, ...copied } = saved;
    this.#handedIn[name] = uid;
    await this.#add(`data/${path}`, { ...copied, isNew: true });
  }

  /** Those that are files, each with its directory made before. */
  async *#withDirectories(entries: AsyncIterable<DataEntry>) {
    await createDirectory(this.#state.paths.data);
    for await (const entry of entries) {
      if (entry.kind === 'file') yield entry;
      else if (entry.kind === 'directory') await createDirectory(join(this.#state.paths.data, entry.path));
      else this.#warn(`${entry.path} was left out: ${entry.why}`);
    }
  }

  async #saveOutside(): Promise<string[]> {
    const { paths, config } = this.#state;
    const saved: string[] = [];
    for (const file of await outsideFiles(config.file, config.dataDir)) {
      const target = join(paths.outside, file);
      await createDirectory(join(target, '..'));
      if (await this.#save(`outside${file}`, file)) saved.push(file);
    }
    return saved;
  }

  /** False where there is no such file. */
  async #save(path: string, from: string): Promise<boolean> {
    const to = join(this.#state.paths.directory, path);
    const saved = await saveFile(this.#state.earlier, { from, to, path }, this.#signal);
    if (saved !== undefined) await this.#add(path, saved);
    return saved !== undefined;
  }

  async #add(path: string, { sum, sizeBytes, isNew }: Saved): Promise<void> {
    this.#counts.files += 1;
    this.#counts.bytes += sizeBytes;
    this.#counts.copiedFiles += isNew ? 1 : 0;
    this.#counts.copiedBytes += isNew ? sizeBytes : 0;
    await this.#state.sums.add({ sum, path });
  }

  #warn(text: string): void {
    this.#warnings.push(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#state.sums[Symbol.asyncDispose]();
  }
}

function examine(copy: Parameters<typeof examineCopy>[0], sums: string): DatabaseCopy {
  try {
    return examineCopy(copy, sums);
  } catch (error) {
    if (!(error instanceof DamagedCopyError)) throw error;
    throw new BackupError(
      'damaged',
      `the store is damaged, and no snapshot was made of it:\n  ${error.message.replaceAll('\n', '\n  ')}\n` +
        'Earlier snapshots are as they were. To see all that is wrong, stop the server and run posthorn store check.',
      { cause: error },
    );
  }
}
