/** Erases the accounts that were removed, once their time of grace is over: at the start, and then every hour. */

import type { Log } from '../util/log.ts';
import { type ErasureParts, eraseAccount } from './account-removal.ts';

const lookMs = 3600_000;

export class RemovalWatch {
  readonly #parts: ErasureParts & { log: Log };
  #cancel: (() => void) | undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: ErasureParts & { log: Log }) {
    this.#parts = parts;
  }

  start(): void {
    this.#cancel = this.#parts.clock.after(lookMs, () => this.start());
    this.#looking = this.#looking.then(() => this.#look());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { store, clock, log } = this.#parts;
    try {
      for (const { address, settings } of await store.listRemovedAccounts()) {
        if (this.#stopped) return;
        if ((settings?.removed?.eraseAt ?? Number.POSITIVE_INFINITY) > clock.now()) continue;
        await eraseAccount(this.#parts, address);
        log.info({ account: address }, 'an account was erased: its time of grace is over');
      }
    } catch (error) {
      log.error({ err: error }, 'cannot erase an account that was removed; tried again in an hour');
    }
  }
}
