/** What stands in manifest.json: what a snapshot is of, and the sum of the sums, by which all of it is known. */

import { open, readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { errorCode } from '../store/errors.ts';
import { BackupError } from './layout.ts';

/** Raised when a snapshot is laid out in another way. */
export const backupFormat = 1;

const manifestSchema = v.object({
  format: v.number(),
  /** The version of the program that made it. */
  posthorn: v.string(),
  /** Of the store. */
  schemaVersion: v.pipe(v.number(), v.integer()),
  /** What was acknowledged before this moment is in it, by the server's clock: ms since the epoch. */
  at: v.pipe(v.number(), v.safeInteger()),
  /** False: no server ran. */
  live: v.boolean(),
  hostname: v.string(),
  dataDir: v.string(),
  /** The user whose data directory it was, by name. */
  owner: v.exactOptional(v.string()),
  configFile: v.string(),
  /** Absolute paths of what is in `outside/`. */
  outside: v.array(v.string()),
  /** Of what lies in the maildrop: whose it is. */
  handedIn: v.exactOptional(v.record(v.string(), v.number())),
  files: v.number(),
  bytes: v.number(),
  /** What could not be saved, or was damaged already. */
  warnings: v.array(v.string()),
  sumsSha256: v.string(),
});

export type Manifest = v.InferOutput<typeof manifestSchema>;

/** Durable when it resolves. Rejects with the system's error. */
export async function writeManifest(path: string, manifest: Manifest): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  await file.writeFile(`${JSON.stringify(manifest, null, 2)}\n`);
  await file.sync();
}

/** Rejects with a BackupError. */
export async function readManifest(path: string): Promise<Manifest> {
  const value = parse(await read(path), path);
  const known = v.safeParse(v.object({ format: v.number() }), value);
  if (known.success && known.output.format > backupFormat)
    throw new BackupError(
      'refused',
      `${path} is of format ${known.output.format}; this Posthorn knows formats up to ${backupFormat}: use the version that made it, or a newer one.`,
    );
  const { success, output } = v.safeParse(manifestSchema, value);
  if (success) return output;
  throw notWritten(path);
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT')
      throw new BackupError('damaged', `${path} is missing. Use another snapshot.`, { cause: error });
    throw error;
  }
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notWritten(path);
  }
}

const notWritten = (path: string) =>
  new BackupError('damaged', `${path} is not as it was written. Use another snapshot.`);
