/**
 * Recipients that were refused of a message which others got, until whoever handed it in is sure to have heard: written down
 * before the message is in the queue, so that a lost answer or a kill leaves nobody in the belief that all have it.
 */

import * as v from 'valibot';
import { addressKey, parseAddress } from '../../mail/address.ts';
import type { Store } from '../../store/store.ts';
import type { Taken } from '../control.ts';

export type RefusalStore = Pick<Store, 'findMemo' | 'listMemos' | 'writeMemos' | 'removeMemos'>;

const kind = 'hand-in-refusals';
/** As long as dossiers, by which a message that comes again is known. */
const keptMs = 30 * 24 * 3600_000;

const shape = v.object({
  /** Who is to hear of it: the envelope's sender. */
  from: v.string(),
  refused: v.array(v.object({ recipient: v.string(), reply: v.string() })),
});

export interface Refusals {
  from: string;
  refused: Taken['refused'];
}

export async function noteRefusals(
  store: RefusalStore,
  queueId: string,
  { value, now }: { value: Refusals; now: number },
): Promise<void> {
  await store.writeMemos([{ kind, key: queueId, value, expiresAt: now + keptMs }]);
}

/** None where all recipients were taken, or somebody was told by letter. */
export async function findRefusals(store: RefusalStore, queueId: string): Promise<Refusals> {
  const read = v.safeParse(shape, (await store.findMemo(kind, queueId))?.value);
  return read.success ? read.output : { from: '', refused: [] };
}

/** They have been told. */
export async function forgetRefusals(store: RefusalStore, queueId: string): Promise<void> {
  await store.removeMemos(kind, [queueId]);
}

/** An account is erased: what was to be told to it goes, and of what others are to be told, that it was refused. */
export async function forgetRefusalsOf(
  store: Pick<RefusalStore, 'listMemos' | 'writeMemos' | 'removeMemos'>,
  account: string,
): Promise<void> {
  const isGone = (text: string) => {
    const address = parseAddress(text);
    return address !== undefined && addressKey(address) === account;
  };
  for (const memo of await store.listMemos(kind)) {
    const read = v.safeParse(shape, memo.value);
    const left = read.success ? read.output.refused.filter(({ recipient }) => !isGone(recipient)) : [];
    // What cannot be read can be told to nobody.
    if (!read.success || left.length === 0 || isGone(read.output.from))
      await store.removeMemos(kind, [memo.key]);
    else if (left.length < read.output.refused.length)
      await store.writeMemos([{ ...memo, value: { ...read.output, refused: left } }]);
  }
}
