/**
 * What a filter is talked to over: octets in both directions, and limits of time. A filter is a program of the operator's,
 * and may still hang, break off or lie; each of these is a FilterError, and never more than the fact that says so. The
 * socket is in net/byte-stream.ts.
 */

/** `down`: no connection, or it broke off. `lied`: what came is not the protocol. */
export type FilterFailure = 'down' | 'timeout' | 'lied';

export class FilterError extends Error {
  readonly kind: FilterFailure;

  constructor(kind: FilterFailure, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'FilterError';
    this.kind = kind;
  }
}

export interface FilterStream {
  /** Resolves when there is room for more. Rejects with a FilterError. */
  write(pieces: readonly Buffer[], timeoutMs: number): Promise<void>;
  /** What has come, at least an octet of it. Rejects with a FilterError; `down` where the other side has closed. */
  read(timeoutMs: number): Promise<Buffer>;
  /** Something has come that was not read: some filters answer before they have heard all. */
  readonly hasInput: boolean;
  close(): void;
}

/** Where a filter listens. */
export type FilterPlace = { host: string; port: number } | { socket: string };

/** Rejects with a FilterError. */
export type OpenFilterStream = (place: FilterPlace, timeoutMs: number) => Promise<FilterStream>;

export interface FilterTimes {
  /** For one answer. */
  stageMs: number;
  /** For everything about one message. */
  totalMs: number;
}

/** How long may still be waited: for the next answer, and in all. */
export class Deadline {
  readonly #now: () => number;
  readonly #stageMs: number;
  readonly #endsAt: number;

  constructor(now: () => number, { stageMs, totalMs }: FilterTimes) {
    this.#now = now;
    this.#stageMs = stageMs;
    this.#endsAt = now() + totalMs;
  }

  /** Throws a FilterError where no time is left. */
  leftMs(): number {
    const left = Math.min(this.#stageMs, this.#endsAt - this.#now());
    if (left <= 0) throw new FilterError('timeout', 'the time for this message is over');
    return left;
  }
}

/** Of what a filter says: one line of printable characters, and no more than `max` of them. */
export function bounded(text: string, max = 200): string {
  const clean = text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return clean.length <= max ? clean : `${clean.slice(0, max - 1)}…`;
}
