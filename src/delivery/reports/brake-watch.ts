/**
 * Tells a user whose mail is held, and the postmaster, as soon as it is, and once a day until it is let go: what is held has no
 * end of its own, and must not be forgotten. Who was not told when the server stopped is told at the next start.
 */

import { composeBrakeNotice } from '../../dsn/brake-notice.ts';
import type { Brake } from '../../queue/brake/brake.ts';
import { type Braked, brakeName } from '../../queue/brake/braked.ts';
import type { Queue } from '../../queue/queue.ts';
import type { Store } from '../../store/store.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { noticesTo, type ReportParts } from './report.ts';

export interface BrakeWatchParts {
  brake: Pick<Brake, 'list' | 'told'>;
  queue: Pick<Queue, 'accept'>;
  store: Pick<Store, 'countJobs'>;
  report: ReportParts;
  clock: Clock;
  log: Log;
}

/** Between two reminders. */
export const remindMs = 24 * 3600_000;
/** Between two looks; who is braked is told without one. */
export const lookMs = 3600_000;

export class BrakeWatch {
  readonly #parts: BrakeWatchParts;
  #cancel: (() => void) | undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: BrakeWatchParts) {
    this.#parts = parts;
  }

  start(): void {
    this.lookNow();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#looking;
  }

  /** Somebody has just been braked. */
  lookNow(): void {
    if (this.#stopped) return;
    this.#cancel?.();
    this.#cancel = this.#parts.clock.after(lookMs, () => this.lookNow());
    // One look after the other: nobody is told twice.
    this.#looking = this.#looking.then(() => this.#look());
  }

  async #look(): Promise<void> {
    const { brake, clock, log } = this.#parts;
    const due = ({ toldAt }: Braked) => toldAt === undefined || toldAt + remindMs <= clock.now();
    for (const braked of brake.list().filter(due)) {
      if (this.#stopped) return;
      try {
        await this.#tell(braked);
      } catch (error) {
        log.error({ err: error, account: braked.account }, 'cannot tell that mail is held; tried again');
      }
    }
  }

  async #tell(braked: Braked): Promise<void> {
    const { brake, queue, report, clock } = this.#parts;
    const { account, at: brakedAt, toldAt, ...why } = braked;
    const isReminder = toldAt !== undefined;
    // What led to the brake is on its way into the queue when it is first told of.
    const waiting = isReminder ? await this.#waiting(account) : braked.held;
    const facts = { ...why, account, brakedAt, waiting, isReminder };
    const letters = await noticesTo(report, account, (letter) =>
      composeBrakeNotice({ ...facts, ...letter, hostname: report.hostname, now: clock.now() }),
    );
    for (const letter of letters) await queue.accept(letter);
    await brake.told(account);
  }

  async #waiting(account: string): Promise<number> {
    const filter = { state: 'held', submitter: account, heldBy: brakeName } as const;
    return (await this.#parts.store.countJobs(filter)).held;
  }
}
