/** The Store's memos over a link. */

import type { Clock } from '../../util/clock.ts';
import type { Memo } from '../memo-store.ts';
import type { Store } from '../store.ts';
import { entriesOf } from './entries.ts';
import type { Link } from './link.ts';
import type { MemoTuple } from './protocol.ts';

type Memos = Pick<Store, 'writeMemos' | 'findMemo' | 'listMemos' | 'removeMemos'>;

export function memosOver(link: Link, { now }: Clock): Memos {
  return {
    async writeMemos(memos, events = []) {
      await link.call('writeMemos', { memos: memos.map(memoTuple), entries: entriesOf(events), now: now() });
    },
    async findMemo(kind, key) {
      const found = await link.call('findMemo', { kind, key, now: now() });
      return found && memoOf(found);
    },
    async listMemos(kind) {
      return (await link.call('listMemos', { kind, now: now() })).map(memoOf);
    },
    removeMemos: (kind, keys, events = []) =>
      link.call('removeMemos', { kind, keys, entries: entriesOf(events) }),
  };
}

const memoTuple = ({ kind, key, value, expiresAt }: Memo): MemoTuple => [
  kind,
  key,
  JSON.stringify(value),
  expiresAt ?? null,
];

const memoOf = ([kind, key, value, expiresAt]: MemoTuple): Memo => ({
  kind,
  key,
  value: JSON.parse(value),
  ...(expiresAt !== null && { expiresAt }),
});
