/**
 * One file of the spool, as a message's octets are written to it: from its beginning, over what an earlier message has
 * left there. How long the message is stands with its sum in the row that names the file, so that the file may be longer.
 */

import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { syncDirectory } from './directory-sync.ts';
import type { FileReader, OpenFile } from './message.ts';

/**
 * What comes is copied into one block of memory and written from there. Hundreds of messages that stream in at once
 * would else each hold on to what was read from their sockets until the disk has it, long enough to be taken for
 * lasting by the garbage collector.
 */
const stageBytes = 104 * 1024;

export class SpoolFile implements OpenFile {
  readonly name: string;
  readonly path: string;
  readonly #handle: FileHandle;
  /** Its name is on disk. */
  #isNamed = false;
  /** The longest message so far. */
  #length = 0;
  #readers = 0;
  #isClosed = false;

  private constructor(directory: string, name: string, handle: FileHandle) {
    this.name = name;
    this.path = join(directory, name);
    this.#handle = handle;
  }

  /** Rejects with the system's error: EEXIST where there is a file of this name. */
  static async create(directory: string, name: string): Promise<SpoolFile> {
    return new SpoolFile(directory, name, await open(join(directory, name), 'wx+', 0o600));
  }

  /** Octets on disk at most. */
  get length(): number {
    return this.#length;
  }

  async write(octets: Uint8Array, position: number): Promise<void> {
    this.#length = Math.max(this.#length, position + octets.length);
    for (let written = 0; written < octets.length; ) {
      const rest = octets.length - written;
      written += (await this.#handle.write(octets, written, rest, position + written)).bytesWritten;
    }
  }

  /** Resolves when what was written, and the file's name, are on disk. */
  async sync(): Promise<void> {
    await this.#handle.datasync();
    if (this.#isNamed) return;
    await syncDirectory(dirname(this.path));
    this.#isNamed = true;
  }

  openReader(): FileReader | undefined {
    if (this.#isClosed) return undefined;
    this.#readers += 1;
    return {
      read: async (block, position) => (await this.#handle.read(block, 0, block.length, position)).bytesRead,
      close: async () => {
        this.#readers -= 1;
        await this.#closeUnused();
      },
    };
  }

  /** Nobody else may begin to read it; who reads it may go on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#closeUnused();
  }

  async #closeUnused(): Promise<void> {
    if (this.#isClosed && this.#readers === 0) await this.#handle.close();
  }
}

/** Gathers what belongs to one message, sums it and writes it in large pieces. */
export class SpoolStage {
  readonly #block = Buffer.allocUnsafeSlow(stageBytes);
  #file: SpoolFile | undefined;
  #staged = 0;
  #written = 0;
  #sum = 0;

  /** Begins with the next message. */
  begin(file: SpoolFile): void {
    this.#file = file;
    this.#staged = 0;
    this.#written = 0;
    this.#sum = 0;
  }

  get sizeBytes(): number {
    return this.#written + this.#staged;
  }

  /** CRC-32 of what was flushed. */
  get sum(): number {
    return this.#sum;
  }

  /** Copies the chunk; returns a promise where the disk must be waited for, before anything else is asked. */
  add(chunk: Buffer): Promise<void> | undefined {
    const rest = this.#put(chunk);
    return rest.length > 0 ? this.#writeInParts(rest) : undefined;
  }

  async flush(): Promise<void> {
    const octets = this.#block.subarray(0, this.#staged);
    this.#sum = crc32(octets, this.#sum);
    await this.#file?.write(octets, this.#written);
    this.#written += this.#staged;
    this.#staged = 0;
  }

  /** Returns what found no room. */
  #put(chunk: Buffer): Buffer {
    const copied = chunk.copy(this.#block, this.#staged);
    this.#staged += copied;
    return chunk.subarray(copied);
  }

  async #writeInParts(chunk: Buffer): Promise<void> {
    for (let rest = chunk; rest.length > 0; rest = this.#put(rest)) await this.flush();
  }
}
