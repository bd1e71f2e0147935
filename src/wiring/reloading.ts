/**
 * A reload: everything that can fail is made first, beside what is in force; then all is swapped in one step, which cannot.
 * What began before ends as it began.
 */

import { changedTables, findFixed } from '../config/changes.ts';
import type { Config } from '../config/config.ts';
import { ConfigError, formatKey } from '../config/problem.ts';
import { listenTrouble } from '../net/listen-trouble.ts';
import { turnstile } from '../util/turnstile.ts';
import type { Lasting } from './core.ts';
import { makeEdition } from './edition.ts';
import type { Edition, InForce } from './in-force.ts';
import { type Listeners, NotBound } from './listeners.ts';

export interface Reloaded {
  file: string;
  /** The tables in which something is another way than before, as they stand in the file. */
  changed: readonly string[];
}

export interface ReloadingParts {
  inForce: InForce;
  lasting: Lasting;
  listeners: Listeners;
  readConfig(): Promise<Config>;
}

export class Reloading {
  readonly #parts: ReloadingParts;
  readonly #turns = turnstile(1);
  readonly #retiring = new Set<Promise<void>>();

  constructor(parts: ReloadingParts) {
    this.#parts = parts;
  }

  /** Rejects with what is wrong: nothing has changed then. */
  async reload(): Promise<Reloaded> {
    const { log } = this.#parts.lasting;
    await this.#turns.enter();
    try {
      const done = await this.#reload();
      log.info({ ...done }, 'the configuration was read anew, and is in force');
      return done;
    } catch (error) {
      log.error(
        error instanceof ConfigError ? { problems: error.problems } : { err: error },
        'the configuration was read anew and cannot be used: the one before stays in force',
      );
      throw error;
    } finally {
      this.#turns.leave();
    }
  }

  /** Resolves when everything that a reload has replaced is gone. */
  async stop(): Promise<void> {
    await this.#turns.enter();
    this.#turns.leave();
  }

  async #reload(): Promise<Reloaded> {
    const { inForce, lasting, listeners, readConfig } = this.#parts;
    const { config: before } = inForce;
    const { acme } = inForce.edition;
    const config = await readConfig();
    const fixed = findFixed(before, config);
    if (fixed.length > 0) throw new ConfigError(fixed);
    const edition = await makeEdition(config, lasting, inForce);
    const change = await listeners.prepare(config).catch(async (error) => {
      await edition.retire();
      throw error instanceof NotBound ? asProblem(error, config) : error;
    });
    this.#swap(edition);
    change.make(edition);
    // Two do not ask in the same name, nor write the same files.
    edition.acme?.start(acme?.stop());
    return { file: config.file, changed: changedTables(before, config) };
  }

  /** Neither waits nor fails: whoever asks has all of the one before, or all of this. */
  #swap(edition: Edition): void {
    const { inForce, lasting } = this.#parts;
    const { config } = edition;
    const before = inForce.replace(edition);
    lasting.directory.serve(config.domains);
    lasting.queue.limit(config.delivery.concurrency);
    if (before) this.#retire(before);
  }

  #retire(edition: Edition): void {
    const { log } = this.#parts.lasting;
    const retiring = edition
      .retire()
      .catch((error) => log.error({ err: error }, 'what was in force before the reload did not end well'))
      .finally(() => this.#retiring.delete(retiring));
    this.#retiring.add(retiring);
  }
}

/** A port that must be bound anew, and cannot be; the one that a listener of before holds is a case of its own. */
function asProblem({ index, cause, message }: NotBound, { file, listeners }: Config): ConfigError {
  const trouble = listenTrouble(cause) ?? { what: message, remedy: 'Choose another place.' };
  const port = listeners[index]?.port;
  const remedy = `${trouble.remedy} A listener of before holds its port until a restart where only its address changes.`;
  const isTaken = 'kind' in trouble && trouble.kind === 'taken' && port !== 0;
  return new ConfigError([
    {
      file,
      key: formatKey(['listener', index]),
      what: trouble.what,
      remedy: isTaken ? remedy : trouble.remedy,
    },
  ]);
}
