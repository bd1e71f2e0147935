/**
 * Certificates in files that somebody else renews (certbot, lego, an operator): looked at again and again, and replaced once
 * certificate and key fit together. A pair that is half written, or gone, leaves the one before in use, and the log says so.
 */

import { stat } from 'node:fs/promises';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import { type KeyPair, readKeyPair } from './key-pair.ts';
import type { Certificates, Provided } from './tls-context.ts';

export interface PairFiles {
  cert: string;
  key: string;
}

export interface CertificateFilesParts {
  certificates: Certificates;
  log: Log;
  clock: Clock;
}

/** A look costs two calls of stat() for each pair. */
export const lookEveryMs = 10_000;

interface Kept {
  files: PairFiles;
  pair: KeyPair;
  /** Of the files, when the pair was read. */
  seen: string;
  /** What was wrong at the last look, as it was logged. */
  told?: string;
}

export class CertificateFiles {
  readonly #parts: CertificateFilesParts;
  #kept: Kept[] = [];
  #cancel = () => {};
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: CertificateFilesParts) {
    this.#parts = parts;
  }

  /** Shows these from now on. Rejects, and changes nothing, where one cannot be used. */
  async use(files: readonly PairFiles[]): Promise<void> {
    const kept = await Promise.all(
      files.map(async (one) => ({ files: one, seen: await markOf(one), pair: await readKeyPair(one) })),
    );
    this.#parts.certificates.replace('configuration', kept.map(toProvided));
    this.#kept = kept;
  }

  start(): void {
    this.#cancel = this.#parts.clock.after(lookEveryMs, () => {
      this.#looking = this.look().finally(() => this.#stopped || this.start());
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#looking;
  }

  /** Whatever has changed on disk is in use afterwards, or in the log. Never rejects. */
  async look(): Promise<void> {
    const before = this.#kept;
    const now = await Promise.all(before.map((kept) => this.#lookAt(kept)));
    if (this.#kept !== before) return; // another configuration came meanwhile
    this.#kept = now;
    if (now.every((kept, index) => kept === before[index])) return;
    this.#parts.certificates.replace('configuration', now.map(toProvided));
  }

  async #lookAt(kept: Kept): Promise<Kept> {
    const { log } = this.#parts;
    const { cert } = kept.files;
    try {
      const seen = await markOf(kept.files);
      if (seen === kept.seen) return kept.told === undefined ? kept : withoutTrouble(kept);
      const pair = await readKeyPair(kept.files);
      const { names, notAfter } = pair.facts;
      log.info({ cert, names, notAfter: new Date(notAfter).toISOString() }, 'certificate read again');
      return { files: kept.files, seen, pair };
    } catch (error) {
      const told = error instanceof Error ? error.message : String(error);
      if (told === kept.told) return kept;
      log.warn(
        { cert, error: told },
        'the new certificate cannot be used; the old one stays in use until certificate and key fit together',
      );
      return { ...kept, told };
    }
  }
}

const toProvided = ({ files, pair, told }: Kept): Provided => ({
  ...{ pair, file: files.cert },
  ...(told !== undefined && { trouble: told }),
});

const withoutTrouble = ({ files, pair, seen }: Kept): Kept => ({ files, pair, seen });

/** Follows links, as certbot's live/ directory is made of them: a link that leads elsewhere is another file. */
async function markOf({ cert, key }: PairFiles): Promise<string> {
  const marks = await Promise.all(
    [cert, key].map(async (file) => {
      const { ino, size, mtimeMs } = await stat(file);
      return `${ino} ${size} ${mtimeMs}`;
    }),
  );
  return marks.join(', ');
}
