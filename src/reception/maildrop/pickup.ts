/**
 * Looks into the maildrop whenever something changes there, and now and then besides: takes what is whole, one after the
 * other, each user within their measure. What a user may not send comes back to them, or to the postmaster.
 */

import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../store/errors.ts';
import {
  type Dropped,
  listDropped,
  openMaildrop,
  readDropped,
  removeDropped,
  setAsideDropped,
} from '../../store/maildrop.ts';
import type { Clock } from '../../util/clock.ts';
import { LeakyLevels } from '../../util/leaky-levels.ts';
import type { Log } from '../../util/log.ts';
import { HandInError, handIn } from '../control.ts';
import type { Hatch } from './hatch.ts';
import { identify } from './identity.ts';
import type { Intake, IntakeParts } from './intake.ts';
import { ownDomain } from './permit.ts';
import { forgetRefusals } from './refusals.ts';

/** A change may go unseen: of a file system that tells nothing, or between two looks. */
const lookEveryMs = 30_000;
const hourMs = 3600_000;
/** Users whose measure is known. */
const maxUsers = 10_000;
/** Octets of a refused message's header that its notice quotes. */
const quotedBytes = 4096;
const mib = 1024 * 1024;
/** Reasons that a notice gives, and characters of each: four octets at most. */
const maxReasons = 50;
const maxReasonLength = 240;

export interface PickupParts {
  dataDir: string;
  clock: Clock;
  log: Log;
  /** As the configuration in force has it. */
  intake(): IntakeParts;
  hatch: Hatch;
}

export class MaildropPickup {
  readonly #parts: PickupParts;
  readonly #directory: string;
  readonly #watcher: FSWatcher | undefined;
  readonly #messages: LeakyLevels;
  readonly #octets: LeakyLevels;
  /** Files that cannot be read: told of once. */
  readonly #told = new Set<string>();
  #cancel: (() => void) | undefined;
  #looking: Promise<void> | undefined;
  #again = false;
  #isStopped = false;

  private constructor(parts: PickupParts, directory: string) {
    this.#parts = parts;
    this.#directory = directory;
    const limits = () => parts.intake().config.sendmail;
    const levels = (limit: () => number) => new LeakyLevels({ limit, windowMs: hourMs, maxNames: maxUsers });
    this.#messages = levels(() => limits().hourlyMessages);
    this.#octets = levels(() => limits().hourlyMegabytes * mib);
    this.#watcher = this.#watch();
  }

  /** Makes the maildrop, and begins. Rejects with the system's error. */
  static async start(parts: PickupParts): Promise<MaildropPickup> {
    const pickup = new MaildropPickup(parts, await openMaildrop(parts.dataDir));
    void pickup.look(); // it never rejects
    return pickup;
  }

  /** Takes what is there; resolves when it is done. */
  async look(): Promise<void> {
    if (this.#isStopped) return;
    if (this.#looking !== undefined) {
      this.#again = true;
      return this.#looking;
    }
    this.#cancel?.();
    this.#looking = this.#lookUntilDone();
    await this.#looking;
    this.#looking = undefined;
    if (!this.#isStopped) this.#cancel = this.#parts.clock.after(lookEveryMs, () => void this.look());
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel?.();
    this.#watcher?.close();
    await this.#looking;
  }

  #watch(): FSWatcher | undefined {
    try {
      const watcher = watch(this.#directory, { persistent: false }, () => void this.look());
      watcher.on('error', (error) =>
        this.#parts.log.warn({ err: error }, 'the maildrop is looked at now and then only'),
      );
      return watcher;
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'the maildrop is looked at now and then only');
      return undefined;
    }
  }

  /** Never rejects: what went wrong is tried again at the next look. */
  async #lookUntilDone(): Promise<void> {
    do {
      this.#again = false;
      try {
        for (const name of await listDropped(this.#directory, this.#parts.clock.now())) {
          if (this.#isStopped) return;
          await this.#takeOne(name);
        }
      } catch (error) {
        this.#parts.log.error({ err: error }, 'the maildrop cannot be read, and is tried again');
      }
    } while (this.#again && !this.#isStopped);
  }

  async #takeOne(name: string): Promise<void> {
    try {
      const maxBytes = this.#parts.intake().config.limits.messageBytes;
      const dropped = await readDropped(this.#directory, name, maxBytes);
      if (dropped === undefined) return;
      if ('wrong' in dropped) return await this.#putAside(name, dropped);
      await this.#take(name, dropped);
    } catch (error) {
      // One message that cannot be taken now holds up no other.
      this.#tell(name, { err: error }, 'what was handed in cannot be taken now, and is tried again');
    }
  }

  async #take(name: string, dropped: Dropped): Promise<void> {
    const { clock, log, hatch } = this.#parts;
    const parts = this.#parts.intake();
    const { user, isTrusted } = await identify(dropped.uid, parts.config.sendmail.trusted);
    if (!isTrusted && this.#isOverMeasure(user, dropped.content.length))
      return this.#tell(
        `limit of ${user}`,
        { user },
        'this user has handed in so much that the rest waits: [sendmail] hourlyMessages',
      );
    const { content } = dropped;
    const intake = await hatch.take({ ...dropped, name });
    let isTold = true;
    if (intake.kind === 'refused') {
      log.warn({ user, file: name, why: intake.why }, 'what was handed in is not sent');
      isTold = await this.#returnTo(parts, intake.from, content, intake.why);
    } else {
      const { kind, queueId } = intake;
      const isNew = kind === 'taken';
      log.info({ queueId, user, file: name }, isNew ? 'taken out of the maildrop' : 'was taken before');
      isTold = await this.#tellRefused(parts, content, intake);
    }
    if (isTold) await removeDropped(this.#directory, name);
    else await this.#keep(name);
    this.#told.delete(name);
    this.#messages.add(user, 1, clock.now());
    this.#octets.add(user, dropped.content.length, clock.now());
  }

  /** Who will not get what others have; false where nobody could be told. */
  async #tellRefused(
    parts: IntakeParts,
    content: Buffer,
    { queueId, from, refused }: Exclude<Intake, { kind: 'refused' }>,
  ): Promise<boolean> {
    if (refused.length === 0) return true;
    const isTold = await this.#returnTo(parts, from, content, refused.map(({ reply }) => reply).join('\r\n'));
    // A kill before this has them told twice, never not at all.
    await forgetRefusals(parts.store, queueId);
    return isTold;
  }

  #isOverMeasure(user: string, bytes: number): boolean {
    const { hourlyMessages, hourlyMegabytes } = this.#parts.intake().config.sendmail;
    const now = this.#parts.clock.now();
    const octets = this.#octets.level(user, now);
    // One that is larger than all that may come in an hour has its turn as well.
    const isFull = octets > 0 && octets + bytes > hourlyMegabytes * mib;
    return this.#messages.level(user, now) + 1 > hourlyMessages || isFull;
  }

  /** What is no message goes: nobody who has written it as agreed has had a 0 for it. */
  async #putAside(name: string, { wrong, uid }: { wrong: string; uid: number }): Promise<void> {
    this.#parts.log.warn({ file: name, uid, why: wrong }, 'removed from the maildrop');
    await removeDropped(this.#directory, name);
  }

  /**
   * To the user, who is the postmaster where there is no such mailbox; false where nobody gets it. Rejects where it may be told
   * later: a disk is full, a filter does not answer.
   */
  async #returnTo(parts: IntakeParts, user: string, content: Buffer, why: string): Promise<boolean> {
    const domain = ownDomain(parts.config);
    const [header = ''] = content.toString('latin1', 0, quotedBytes).split(/\r?\n\r?\n/, 1);
    const text = (to: string) =>
      [
        `From: Mail delivery <postmaster@${domain}>`,
        `To: <${to}>`,
        'Subject: Not sent: a message from a user of this machine',
        'Auto-Submitted: auto-replied',
        'MIME-Version: 1.0',
        'Content-Type: text/plain; charset=utf-8',
        '',
        `${user} has handed in a message on ${parts.hostname} that was not sent, or not to everybody:`,
        '',
        ...reasonLines(why),
        '',
        'It began so:',
        '',
        ...header.split(/\r?\n/).map((line) => `> ${line.slice(0, 900).replace(/[^\x20-\x7e\t]/g, '?')}`),
        '',
      ].join('\r\n');
    for (const to of [user, `postmaster@${domain}`])
      try {
        await handIn(parts, { from: '', recipients: [to], content: Buffer.from(text(to)) });
        return true;
      } catch (error) {
        if (!(error instanceof HandInError) || error.because === 'later') throw error; // the file stays, and is looked at again
        this.#parts.log.debug({ err: error, to }, 'a notice finds no mailbox');
      }
    return false;
  }

  /** Nobody can be told: it stays for whoever reads the log. */
  async #keep(name: string): Promise<void> {
    const kept = await setAsideDropped(this.#directory, name);
    this.#parts.log.error({ file: kept }, 'nobody could be told of a message that was not sent: it was kept');
  }

  #tell(about: string, fields: object, text: string): void {
    if (this.#told.has(about)) return;
    if (this.#told.size >= maxUsers) this.#told.clear();
    this.#told.add(about);
    const isMissing = 'err' in fields && errorCode(fields.err) === 'EACCES';
    this.#parts.log.warn(
      { file: join(this.#directory, about), ...fields },
      isMissing ? `${text}: its sender does not let the server read it (mode 644)` : text,
    );
  }
}

/** A reason for each of a thousand recipients is a notice that could not be sent itself (RFC 5322 §2.1.1). */
function reasonLines(why: string): string[] {
  const lines = why.split(/\r?\n|; (?=\d{3} )/);
  const shown = lines.slice(0, maxReasons).map((line) => [...line].slice(0, maxReasonLength).join(''));
  return lines.length > shown.length ? [...shown, `and ${lines.length - shown.length} more`] : shown;
}
