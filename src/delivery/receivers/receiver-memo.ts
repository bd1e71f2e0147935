/** What is known of a receiving site, as the store keeps it between runs, and as `posthorn receivers` shows it. */

import * as v from 'valibot';
import type { Memo } from '../../store/memo-store.ts';

export const memoKind = 'receiver';

const shape = v.object({
  /** As the queue calls it. */
  site: v.string(),
  /** Our address; absent where it was not known. */
  source: v.exactOptional(v.string()),
  /** How long greylisted mail has waited until it was let in, in ms, the newest last. */
  waitsMs: v.exactOptional(v.array(v.number())),
  /** The most attempts at once of which one was taken. */
  connections: v.exactOptional(v.number()),
  /** The version of TLS that it spoke. */
  tls: v.exactOptional(v.string()),
  /** In ms since the epoch. */
  learnedAt: v.number(),
});

export type KnownReceiver = v.InferOutput<typeof shape>;

export const receiverKey = (site: string, source: string | undefined): string =>
  `${site} from ${source ?? '*'}`;

/** Undefined for what another version has written in another form. */
export function receiverOf({ value }: Memo): KnownReceiver | undefined {
  const { success, output } = v.safeParse(shape, value);
  return success ? output : undefined;
}
