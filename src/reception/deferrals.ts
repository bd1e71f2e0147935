/**
 * Remembers since when a message is asked back for a DNS look-up that fails. A zone that stays broken must not keep mail away
 * until its sender gives up: after some hours the answer counts as none.
 */

import { createHash } from 'node:crypto';
import * as v from 'valibot';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';

const hourMs = 3600_000;

/** From the first time that a message is asked back. */
export const longestDeferralMs = 4 * hourMs;
/** A sender that has not come again for so long has given up, or has done with it elsewhere. */
const rememberedMs = 24 * hourMs;
/** Messages remembered at once. What does not fit is not asked back: nobody may fill our disk by zones that fail. */
export const maxDeferrals = 10_000;

const memoKind = 'deferral';

/** What a message is known by when it comes again. */
export interface Recognised {
  reversePath: string;
  forwardPaths: readonly string[];
  /** Its header section as it came. */
  header: Buffer;
}

export interface DeferralsParts {
  store: Pick<Store, 'writeMemos' | 'listMemos'>;
  clock: Clock;
}

export class Deferrals {
  readonly #parts: DeferralsParts;
  #since: Map<string, number> | undefined;
  #reading: Promise<Map<string, number>> | undefined;

  constructor(parts: DeferralsParts) {
    this.#parts = parts;
  }

  /** Whether it may be asked back once more; the first time is on disk when this resolves. */
  async mayDefer(message: Recognised): Promise<boolean> {
    const since = this.#since ?? (await this.#read());
    const now = this.#parts.clock.now();
    for (const [key, at] of since) {
      if (at + rememberedMs > now) break; // in the order in which they came
      since.delete(key);
    }
    const key = keyOf(message);
    const first = since.get(key);
    if (first !== undefined) return now - first < longestDeferralMs;
    if (since.size >= maxDeferrals) return false;
    since.set(key, now);
    await this.#parts.store.writeMemos([{ kind: memoKind, key, value: now, expiresAt: now + rememberedMs }]);
    return true;
  }

  /** Read when the first look-up fails: most servers never need it. */
  async #read(): Promise<Map<string, number>> {
    this.#reading ??= this.#parts.store.listMemos(memoKind).then((memos) => {
      const known = memos.filter(({ value }) => v.is(v.number(), value));
      const times = known.map(({ key, value }) => [key, Number(value)] as const);
      return new Map(times.sort(([, one], [, other]) => one - other));
    });
    this.#since = await this.#reading;
    return this.#since;
  }
}

/** Trace fields differ from one attempt to the next, the rest of a message's header does not. */
function keyOf({ reversePath, forwardPaths, header }: Recognised): string {
  const hash = createHash('sha256').update(JSON.stringify([reversePath, [...forwardPaths].sort()]));
  for (const name of ['message-id', 'date', 'from', 'subject'])
    hash.update(`${name}:${fieldIn(header, name)}\n`);
  return hash.digest('base64url');
}

function fieldIn(header: Buffer, name: string): string {
  const text = `\r\n${header.toString('latin1')}`;
  const at = text.toLowerCase().indexOf(`\r\n${name}:`);
  return at < 0 ? '' : text.slice(at, text.indexOf('\r\n', at + 2));
}
