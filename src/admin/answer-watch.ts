/**
 * How long a command waits for an answer over the control socket. The server says every few seconds that it is at work: one that
 * says nothing hangs. One that says it without end has a part that hangs, such as its disk.
 */

import { type Clock, systemClock } from '../util/clock.ts';
import type { Operation } from './admin.ts';
import { AdminError } from './admin-error.ts';

/** So often the server says that it is at work, to whoever has asked for that. */
export const workingEveryMs = 5_000;

/** Silence after which nothing is expected any more, unless somebody has less time. */
export const usualSilenceMs = 30_000;

/** An answer that is not there by then will not come. */
export const longestMs = 10 * 60_000;

/** What is erased may be a mailbox of any size. */
const longer: Partial<Record<Operation, number>> = { removeAccount: 60 * 60_000 };

/** What came while this process itself was stopped is read first. */
const secondLookMs = 1_000;

export interface Patience {
  clock?: Clock;
  /** Without a word. */
  silenceMs?: number;
  /** For the whole answer. Default: as the operation takes. */
  withinMs?: number;
  /** Which process it is, as ` (pid 1: posthorn serve)`, where that can be known. */
  owner?(): string;
  /** Told once, in words for people, where the answer takes long. */
  slow?(text: string): void;
}

export interface AnswerWatch {
  /** Rejects with an AdminError('connection') when it is no use to wait any longer. */
  readonly givenUp: Promise<never>;
  /** The server has said something. */
  heard(): void;
  stop(): void;
}

export function watchAnswer(operation: Operation, patience: Patience): AnswerWatch {
  const { clock = systemClock, silenceMs = usualSilenceMs, owner = () => '' } = patience;
  const { withinMs = longer[operation] ?? longestMs, slow } = patience;
  const slowAt = clock.now() + usualSilenceMs;
  let isTold = false;
  const { promise: givenUp, reject } = Promise.withResolvers<never>();
  givenUp.catch(() => undefined); // also where nobody waits for it any more
  const silence = () =>
    clock.after(silenceMs, () => {
      cancelSilence = clock.after(secondLookMs, () => reject(silent(owner(), silenceMs)));
    });
  let cancelSilence = silence();
  const cancelAll = clock.after(withinMs, () => reject(endless(owner(), withinMs)));
  return {
    givenUp,
    heard() {
      cancelSilence();
      cancelSilence = silence();
      if (isTold || clock.now() < slowAt) return;
      isTold = true;
      slow?.(`The server${owner()} is at work on it; this waits for ${withinMs / 60_000} minutes at most.`);
    },
    stop() {
      cancelSilence();
      cancelAll();
    },
  };
}

const unknown = 'Whether it did what was asked is not known: look, and ask again.';

const silent = (owner: string, silenceMs: number) =>
  new AdminError(
    'connection',
    `The server${owner} has said nothing for ${silenceMs / 1000} s. If it is stopped, let it go on; if it hangs, restart it. ${unknown}`,
  );

const endless = (owner: string, withinMs: number) =>
  new AdminError(
    'connection',
    `The server${owner} is there, but has not done it within ${Math.round(withinMs / 1000)} s. Look at its log, and whether its disk hangs. ${unknown}`,
  );
