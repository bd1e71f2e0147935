/**
 * Removing accounts so that nothing is lost by a slip: at first one is only as though it were not there, and can be had
 * back; what is left of it is erased when its time of grace is over (removal-watch.ts), or by a second word.
 */

import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { addressKey, parseAddress } from '../mail/address.ts';
import { brakedKind, brakeName } from '../queue/brake/braked.ts';
import { volumeKind } from '../queue/brake/volumes.ts';
import { quotaKind } from '../queue/quotas.ts';
import { placesKind } from '../reception/abuse/login-places.ts';
import type { Greylist } from '../reception/greylist/greylist.ts';
import type { SenderHistory } from '../reception/history/history.ts';
import { forgetRefusalsOf } from '../reception/maildrop/refusals.ts';
import type { Account } from '../store/account-store.ts';
import { appPasswordsKind, appPasswordsUsedKind } from '../store/app-passwords.ts';
import { maildirPath } from '../store/maildir.ts';
import type { QueueFilter } from '../store/queue-store.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { Turnstile } from '../util/turnstile.ts';
import { type EndSessions, inTurn, noSuchAccount } from './account-settings.ts';
import { type Domains, localAddress } from './addresses.ts';
import type { Admin } from './admin.ts';
import { AdminError } from './admin-error.ts';

export type RemovalOperations = Pick<Admin, 'removeAccount' | 'restoreAccount' | 'listRemovedAccounts'>;

export interface ErasureParts {
  store: Pick<
    Store,
    | 'findRemovedAccount'
    | 'listRemovedAccounts'
    | 'eraseAccount'
    | 'listMemos'
    | 'writeMemos'
    | 'removeMemos'
    | 'changeJobs'
  >;
  /** Where the mailboxes are. Absent: nowhere. */
  dataDir?: string | undefined;
  clock: Clock;
  turns: Turnstile;
  /** Who knows whom, and who was asked to come again: in memory, too. */
  senders(): Promise<Pick<SenderHistory, 'forget' | 'flush'>>;
  greylist(): Promise<Pick<Greylist, 'forgetRecipient' | 'flush'>>;
  /** Whoever remembers accounts must look again; that one was erased. */
  changed(removed?: string): void;
}

export interface RemovalParts extends ErasureParts {
  store: ErasureParts['store'] & Pick<Store, 'findAccount' | 'findAlias' | 'setSettings'>;
  domains: Domains;
  endSessions?: EndSessions | undefined;
  graceMs?: number | undefined;
}

const day = 24 * 3600_000;
export const defaultGraceMs = 14 * day;

/**
 * What is remembered of an account beside its dossiers: what it sends, why that is held, where it is used, how full it is, who
 * logs in how.
 */
const memosOfAccount = [
  volumeKind,
  brakedKind,
  placesKind,
  quotaKind,
  appPasswordsKind,
  appPasswordsUsedKind,
];

export function removalOperations(parts: RemovalParts): RemovalOperations {
  const { store, turns, clock, changed, endSessions, graceMs = defaultGraceMs } = parts;
  const remove = async (account: Account, removed: { eraseAt: number; isUnknown?: true }) => {
    const at = account.settings?.removed?.at ?? clock.now();
    await store.setSettings(account.address, { ...account.settings, removed: { at, ...removed } });
    changed();
    endSessions?.(account.address);
  };
  return {
    async removeAccount({ address, now = false, isUnknown = false }) {
      const key = await keptAddress(address, parts);
      const eraseAt = clock.now() + (now ? 0 : graceMs);
      await inTurn(turns, async () => {
        const account = await store.findAccount(key);
        // A second word erases what the first one kept, and does nothing else.
        const before = account ?? (now ? await store.findRemovedAccount(key) : undefined);
        if (!before) throw await notThere(store, key);
        await remove(before, { eraseAt, ...(isUnknown && { isUnknown }) });
      });
      if (now) await eraseAccount(parts, key);
      return { eraseAt };
    },
    restoreAccount: ({ address }) =>
      inTurn(turns, async () => {
        const key = await keptAddress(address, parts);
        const account = await store.findRemovedAccount(key);
        if (!account) throw (await store.findAccount(key)) ? notRemoved(key) : noSuchAccount(key);
        if (await store.findAlias(key)) throw isAliasNow(key);
        const { removed: _, ...settings } = account.settings ?? {};
        await store.setSettings(key, settings);
        changed();
      }),
    listRemovedAccounts: () => store.listRemovedAccounts(),
  };
}

/** Also of a domain that was taken out of the configuration: what is kept of an account there must not stay for good. */
async function keptAddress(text: string, { store, domains }: RemovalParts): Promise<string> {
  const address = parseAddress(text);
  const key = address && addressKey(address);
  const isKept = key && ((await store.findAccount(key)) ?? (await store.findRemovedAccount(key)));
  return isKept ? key : localAddress(text, domains);
}

/** Mail follows an alias before it finds an account: what comes back would get none. */
const isAliasNow = (address: string) =>
  new AdminError(
    'exists',
    `${address} has become an alias meanwhile, which would take all its mail. Remove that first: posthorn alias remove ${address}`,
  );

/**
 * Erases an account that was removed: its mail, what waits for it or is held of it by the brake, what is remembered of it, its
 * dossiers, and its row, which goes last: who is interrupted can begin again. Does nothing where it was restored meanwhile.
 */
export async function eraseAccount(parts: ErasureParts, account: string): Promise<void> {
  const { store, clock, turns, changed } = parts;
  await inTurn(turns, async () => {
    const removed = (await store.findRemovedAccount(account))?.settings?.removed;
    if (removed === undefined || removed.eraseAt > clock.now()) return;
    await drop(parts, { destination: '', recipient: account });
    // Nobody is left who could say whether it was theirs.
    await drop(parts, { state: 'held', submitter: account, heldBy: brakeName });
    await eraseMailbox(parts, account);
    await forget(parts, account);
    await store.eraseAccount(account);
    changed(account);
    // Again: a delivery that was under way may have come to its end, and the next one of that name must not find it; nor
    // what was counted and written down until it was forgotten.
    await eraseMailbox(parts, account);
    await forget(parts, account);
  });
}

async function forget({ store, senders, greylist }: ErasureParts, account: string): Promise<void> {
  for (const kind of memosOfAccount) await store.removeMemos(kind, [account]);
  await forgetRefusalsOf(store, account);
  const [history, list] = [await senders(), await greylist()];
  history.forget(account);
  const address = parseAddress(account);
  if (address) list.forgetRecipient(address);
  await history.flush();
  await list.flush();
}

async function eraseMailbox({ dataDir }: ErasureParts, account: string): Promise<void> {
  if (dataDir === undefined) return;
  await rm(dirname(maildirPath(dataDir, account)), { recursive: true, force: true });
}

/** Jobs dropped in one step. */
const dropStep = 500;

async function drop({ store, clock }: ErasureParts, filter: QueueFilter): Promise<void> {
  const by = 'the erasure of the account';
  let after: string | undefined;
  do {
    const { next } = await store.changeJobs({
      filter,
      change: { kind: 'drop' },
      events: { done: { event: 'dropped', data: { by } } },
      ...{ by, now: clock.now(), limit: dropStep },
      ...(after !== undefined && { after }),
    });
    after = next;
  } while (after !== undefined);
}

async function notThere(store: RemovalParts['store'], key: string): Promise<AdminError> {
  const removed = (await store.findRemovedAccount(key))?.settings?.removed;
  if (removed === undefined) return noSuchAccount(key);
  return new AdminError(
    'exists',
    `${key} was removed already, and is erased at ${new Date(removed.eraseAt).toISOString()}. ` +
      `To erase it now: posthorn account remove ${key} --now. To have it back: posthorn account restore ${key}`,
  );
}

const notRemoved = (key: string) =>
  new AdminError('bad-request', `${key} was not removed: there is nothing to restore.`);
