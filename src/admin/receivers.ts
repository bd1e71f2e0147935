/** What was learned of receiving sites (delivery/receivers/receivers.ts): to be looked at, and to be forgotten. */

import { type KnownReceiver, memoKind, receiverOf } from '../delivery/receivers/receiver-memo.ts';
import type { DossierEvent } from '../dossier/event.ts';
import type { Store } from '../store/store.ts';
import type { Admin } from './admin.ts';

export type ReceiverOperations = Pick<Admin, 'listReceivers' | 'resetReceivers' | 'countDelivered'>;

export interface ReceiverParts {
  store: Pick<Store, 'listMemos' | 'removeMemos' | 'readEvents'>;
  now: () => number;
  /** A running server is to forget it, too. */
  forgotten(site: string | undefined): void;
}

export function receiverOperations({ store, now, forgotten }: ReceiverParts): ReceiverOperations {
  const known = async (): Promise<{ key: string; receiver: KnownReceiver }[]> =>
    (await store.listMemos(memoKind)).flatMap((memo) => {
      const receiver = receiverOf(memo);
      return receiver ? [{ key: memo.key, receiver }] : [];
    });
  return {
    listReceivers: async () => (await known()).map(({ receiver }) => receiver),
    countDelivered: ({ hosts }) => countDelivered(store, hosts, now() - dayMs),
    async resetReceivers({ site }) {
      const chosen = (await known()).filter(({ receiver }) => site === undefined || receiver.site === site);
      forgotten(site);
      const keys = chosen.map(({ key }) => key);
      return { count: await store.removeMemos(memoKind, keys) };
    },
  };
}

const dayMs = 24 * 3600_000;
/** Events in one page, and pages: beyond them nobody counts. */
const pageEvents = 1000;
const maxPages = 100;

async function countDelivered(
  store: Pick<Store, 'readEvents'>,
  endings: readonly string[],
  since: number,
): Promise<{ count: number; atLeast: boolean }> {
  let count = 0;
  let before: number | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    const { events, next } = await store.readEvents({
      limit: pageEvents,
      ...(before !== undefined && { before }),
    });
    const recent = events.filter(({ at }) => at >= since);
    count += recent.filter((row) => wentTo(row as DossierEvent, endings)).length; // written as such
    if (recent.length < events.length || next === undefined) return { count, atLeast: false };
    before = next;
  }
  return { count, atLeast: true };
}

function wentTo({ event, data }: DossierEvent, endings: readonly string[]): boolean {
  const host = event === 'delivered' ? data.endpoint?.host.toLowerCase() : undefined;
  return host !== undefined && endings.some((ending) => host === ending || host.endsWith(`.${ending}`));
}
