/** What was learned of receiving sites (delivery/receivers/receivers.ts): to be looked at, and to be forgotten. */

import { type KnownReceiver, memoKind, receiverOf } from '../delivery/receivers/receiver-memo.ts';
import type { Store } from '../store/store.ts';
import type { Admin } from './admin.ts';

export type ReceiverOperations = Pick<Admin, 'listReceivers' | 'resetReceivers'>;

export interface ReceiverParts {
  store: Pick<Store, 'listMemos' | 'removeMemos'>;
  /** A running server is to forget it, too. */
  forgotten(site: string | undefined): void;
}

export function receiverOperations({ store, forgotten }: ReceiverParts): ReceiverOperations {
  const known = async (): Promise<{ key: string; receiver: KnownReceiver }[]> =>
    (await store.listMemos(memoKind)).flatMap((memo) => {
      const receiver = receiverOf(memo);
      return receiver ? [{ key: memo.key, receiver }] : [];
    });
  return {
    listReceivers: async () => (await known()).map(({ receiver }) => receiver),
    async resetReceivers({ site }) {
      const chosen = (await known()).filter(({ receiver }) => site === undefined || receiver.site === site);
      forgotten(site);
      const keys = chosen.map(({ key }) => key);
      return { count: await store.removeMemos(memoKind, keys) };
    },
  };
}
