/**
 * Large message bodies as files of their own, so that they need not be held in memory or in the database. A message is
 * whole and durable before the name of its file is given out; what a crash leaves behind is swept when the store opens
 * (spool-sweep.ts).
 *
 * When its message is gone, a file is used for another one: to make, sync, name and remove a file costs many times what its
 * octets cost, and ext4 without a journal looks at each file lately removed when it makes a new one (docs/PERFORMANCE.md).
 */

import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Clock, systemClock } from '../util/clock.ts';
import type { MaybePromise } from '../util/maybe-promise.ts';
import { createDirectory } from './directory-sync.ts';
import { errorCode } from './errors.ts';
import type { Content } from './message.ts';
import { SpoolFile, SpoolStage } from './spool-file.ts';

export interface SpoolWriter {
  /**
   * Appends; the chunk may be reused at once. Returns a promise where the disk must be waited for, before anything else
   * is asked. Rejects with the system's error (ENOSPC when the disk is full).
   */
  write(chunk: Buffer): MaybePromise<void>;
  /** Makes the octets durable. Rejects like `write`; then `abort`. */
  commit(): Promise<Content>;
  /** Removes the file. Harmless after a failure and after another abort; not to be used once the queue has the content. */
  abort(): Promise<void>;
}

export interface Spool {
  /** A file for a message's octets. Rejects with the system's error. */
  begin(): Promise<SpoolWriter>;
  /** The message of this file is gone, durably, and nobody reads it any more: it is for the next one, or removed. */
  recycle(name: string): void;
  /** Removes a file that somebody may still be reading. */
  remove(name: string): void;
  /** Until the returned function is called, all files stay as they are that hold a message now. */
  hold(): () => void;
  /** Removes what is kept for the next messages; resolves when nothing is under way. */
  close(): Promise<void>;
}

export interface SpoolOptions {
  dataDir: string;
  clock?: Clock;
  /** Told of what went wrong without harm: a file that cannot be removed goes at the next start. */
  warn?(text: string): void;
}

/** Files that stay open: with a message, to be used again when it is gone, or waiting for the next one. */
const maxOpen = 64;
/** A file that has become longer is not kept. */
const maxKeptBytes = 1024 * 1024;
/** Nor is one that nobody had a use for in this time: what it holds is somebody's mail. */
const keptMs = 10_000;
/** Blocks of memory for writing that are kept. */
const maxStages = 16;

export const spoolDirectory = (dataDir: string): string => join(dataDir, 'spool');

export function createSpool({ dataDir, clock = systemClock, warn = () => {} }: SpoolOptions): Spool {
  return new FileSpool(spoolDirectory(dataDir), clock, warn);
}

interface Kept {
  file: SpoolFile;
  since: number;
}

class FileSpool implements Spool {
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #warn: (text: string) => void;
  /** No other file has a name that begins so, unless the clock was put back; then the number is another. */
  readonly #prefix: string;
  #number = 0;
  /** By name, the oldest first: files that hold a message. One that is not here is removed with its message. */
  readonly #held = new Map<string, SpoolFile>();
  /** Without a message, the one used last at the end. */
  #kept: Kept[] = [];
  readonly #stages: SpoolStage[] = [];
  #cancelSweep: (() => void) | undefined;
  readonly #running = new Set<Promise<void>>();
  /** Present while files are held: what waits for the end of that. */
  #afterHold: (() => void)[] | undefined;

  constructor(directory: string, clock: Clock, warn: (text: string) => void) {
    this.#directory = directory;
    this.#clock = clock;
    this.#warn = warn;
    this.#prefix = clock.now().toString(36);
  }

  async begin(): Promise<SpoolWriter> {
    const file = this.#kept.pop()?.file ?? (await this.#create());
    const stage = this.#stages.pop() ?? new SpoolStage();
    stage.begin(file);
    let isOurs = true;
    const end = () => {
      if (isOurs && this.#stages.length < maxStages) this.#stages.push(stage);
      isOurs = false;
    };
    return {
      write: (chunk) => stage.add(chunk),
      commit: async () => {
        await stage.flush();
        await file.sync();
        const { sizeBytes, sum } = stage;
        end();
        this.#hold(file);
        return { kind: 'spool', path: file.path, file, sizeBytes, sum };
      },
      abort: async () => {
        if (isOurs) await file.close();
        end();
        this.#forget(file.name);
        await rm(file.path, { force: true });
      },
    };
  }

  hold(): () => void {
    const afterwards = this.#afterHold ?? [];
    this.#afterHold = afterwards;
    return () => {
      this.#afterHold = undefined;
      for (const action of afterwards.splice(0)) action();
    };
  }

  recycle(name: string): void {
    if (this.#afterHold !== undefined) return void this.#afterHold.push(() => this.recycle(name));
    const file = this.#held.get(name);
    if (file === undefined || file.length > maxKeptBytes) return this.remove(name);
    this.#held.delete(name);
    this.#kept.push({ file, since: this.#clock.now() });
    this.#cancelSweep ??= this.#clock.after(keptMs, () => this.#sweep());
  }

  remove(name: string): void {
    if (this.#afterHold !== undefined) return void this.#afterHold.push(() => this.remove(name));
    this.#forget(name);
    this.#track(rm(join(this.#directory, name), { force: true }), name);
  }

  async close(): Promise<void> {
    this.#cancelSweep?.();
    for (const { file } of this.#kept.splice(0)) this.#end(file);
    for (const name of [...this.#held.keys()]) this.#forget(name);
    await Promise.all(this.#running);
  }

  async #create(): Promise<SpoolFile> {
    for (;;) {
      this.#number += 1;
      try {
        return await SpoolFile.create(this.#directory, `${this.#prefix}-${this.#number}`);
      } catch (error) {
        if (errorCode(error) === 'ENOENT') await createDirectory(this.#directory);
        else if (errorCode(error) !== 'EEXIST') throw error;
      }
    }
  }

  /** Room is made by those that have held theirs longest: their messages wait for something. */
  #hold(file: SpoolFile): void {
    this.#held.set(file.name, file);
    const [oldest] = this.#held.keys();
    if (this.#held.size + this.#kept.length <= maxOpen || oldest === undefined) return;
    const spare = this.#kept.shift();
    if (spare !== undefined) this.#end(spare.file);
    else this.#forget(oldest);
  }

  /** The file stays where it is, but is ours no more. */
  #forget(name: string): void {
    const file = this.#held.get(name);
    if (file === undefined) return;
    this.#held.delete(name);
    this.#track(file.close(), name);
  }

  #end(file: SpoolFile): void {
    this.#track(
      file.close().then(() => rm(file.path, { force: true })),
      basename(file.path),
    );
  }

  #sweep(): void {
    const latest = this.#clock.now() - keptMs;
    const unused = this.#kept.filter(({ since }) => since <= latest);
    this.#kept = this.#kept.filter(({ since }) => since > latest);
    for (const { file } of unused) this.#end(file);
    const isDone = this.#kept.length === 0;
    this.#cancelSweep = isDone ? undefined : this.#clock.after(keptMs, () => this.#sweep());
  }

  #track(work: Promise<void>, name: string): void {
    const tracked: Promise<void> = work
      .catch((error: unknown) => this.#warn(`Cannot remove spool file ${name}: ${String(error)}`))
      .finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }
}
