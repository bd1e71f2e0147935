/** What was learned of those who send to us, as operators see it. */

import type { SenderHistory } from '../reception/history/history.ts';
import type { Admin } from './admin.ts';

export interface SenderOperationsParts {
  senders(): Promise<SenderHistory>;
}

/** Entries on one page. */
const maxPage = 1000;

export function senderOperations({
  senders,
}: SenderOperationsParts): Pick<Admin, 'listSenders' | 'findSender' | 'forgetSender'> {
  return {
    async listSenders({ after = 0, limit }) {
      const all = (await senders()).list();
      const end = after + Math.min(limit, maxPage);
      return { senders: all.slice(after, end), ...(end < all.length && { next: end }) };
    },
    async findSender({ name }) {
      const history = await senders();
      const key = name.trim().toLowerCase();
      return {
        senders: history.list().filter((entry) => entry.name === key),
        acquaintances: history.acquaintancesOf(key).slice(0, maxPage),
      };
    },
    async forgetSender({ name }) {
      const history = await senders();
      const count = history.forget(name.trim().toLowerCase());
      await history.flush();
      return { count };
    },
  };
}
