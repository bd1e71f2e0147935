/** Whose mail a mailbox does not want, and whose it does: the lists in its settings, one change after the other. */

import { parseSenderPattern, patternExamples } from '../policy/sender-pattern.ts';
import type { AccountSettings } from '../store/account-store.ts';
import type { Store } from '../store/store.ts';
import type { Turnstile } from '../util/turnstile.ts';
import { inTurn, noSuchAccount } from './account-settings.ts';
import { type Domains, localAddress } from './addresses.ts';
import type { Admin } from './admin.ts';
import { AdminError } from './admin-error.ts';

export interface SenderListParts {
  store: Pick<Store, 'findAccount' | 'setSettings'>;
  domains: Domains;
  /** As for account-settings.ts. */
  turns: Turnstile;
}

/** Patterns on one list of one mailbox: each is looked at for each message. */
export const maxPatterns = 1000;

export function senderListOperations({
  store,
  domains,
  turns,
}: SenderListParts): Pick<Admin, 'changeSenderList'> {
  const change: Admin['changeSenderList'] = async ({ address, list, add = [], remove = [] }) => {
    const key = localAddress(address, domains);
    const account = await store.findAccount(key);
    if (account === undefined) throw noSuchAccount(key);
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
  return { changeSenderList: (request) => inTurn(turns, () => change(request)) };
}

function pattern(text: string): string {
  const read = parseSenderPattern(text);
  if (read !== undefined) return read;
  throw new AdminError(
    'bad-request',
    `${JSON.stringify(text.slice(0, 300))} is no pattern of senders. Write ${patternExamples}.`,
  );
}
