/** Whose mail a mailbox does not want, and whose it does: the lists in its settings, one change after the other. */

import { parseSenderPattern, patternExamples } from '../policy/sender-pattern.ts';
import type { AccountSettings, Store } from '../store/store.ts';
import { type Domains, localAddress } from './addresses.ts';
import { type Admin, AdminError } from './admin.ts';

export interface SenderListParts {
  store: Pick<Store, 'findAccount' | 'setSettings'>;
  domains: Domains;
}

/** Patterns on one list of one mailbox: each is looked at for each message. */
export const maxPatterns = 1000;

export function senderListOperations({ store, domains }: SenderListParts): Pick<Admin, 'changeSenderList'> {
  let last: Promise<unknown> = Promise.resolve();
  const change: Admin['changeSenderList'] = async ({ address, list, add = [], remove = [] }) => {
    const key = localAddress(address, domains);
    const account = await store.findAccount(key);
    if (account === undefined)
      throw new AdminError(
        'no-such-account',
        `There is no account ${key}. Those there are: posthorn account list`,
      );
    const { settings = {} } = account;
    const before = settings[list] ?? [];
    const [added, removed] = [add.map(pattern), new Set(remove.map(pattern))];
    const after = [...new Set([...before, ...added])].filter((each) => !removed.has(each));
    if (after.length > maxPatterns)
      throw new AdminError(
        'bad-request',
        `A list holds ${maxPatterns} patterns at most. Use wildcards: ${patternExamples}.`,
      );
    const { [list]: _, ...rest } = settings;
    const changed: AccountSettings = after.length === 0 ? rest : { ...rest, [list]: after };
    if (after.join('\n') !== before.join('\n')) await store.setSettings(key, changed);
    const missing = [...removed].filter((each) => !before.includes(each));
    return { block: changed.block ?? [], allow: changed.allow ?? [], missing };
  };
  return {
    changeSenderList(request) {
      const changed = last.then(() => change(request));
      last = changed.catch(() => undefined); // told to who asked; the next one is another's
      return changed;
    },
  };
}

function pattern(text: string): string {
  const read = parseSenderPattern(text);
  if (read !== undefined) return read;
  throw new AdminError(
    'bad-request',
    `${JSON.stringify(text.slice(0, 300))} is no pattern of senders. Write ${patternExamples}.`,
  );
}
