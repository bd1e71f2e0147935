/** Suspends and resumes delivery: what is in force is kept as memos, what is over too, for as long as dossiers are. */

import type { Directory } from '../queue/directory.ts';
import {
  historyMemo,
  keyOfSuspension,
  readSuspensions,
  type Suspension,
  suspensionEnd,
  suspensionKind,
  suspensionMemo,
} from '../queue/suspensions.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import { anyDomain, anySite } from './addresses.ts';
import type { Admin } from './admin.ts';
import { AdminError } from './admin-error.ts';

export type SuspensionOperations = Pick<Admin, 'suspend' | 'resume' | 'listSuspensions'>;

export interface SuspensionParts {
  store: Store;
  clock: Clock;
  directory: Pick<Directory, 'isLocal'>;
  /** Those that are over are remembered for so long. */
  rememberMs: number;
  /** These are in force; resolves when nothing follows others any more. */
  changed(suspensions: readonly Suspension[]): Promise<void>;
  look(): void;
}

export function suspensionOperations(parts: SuspensionParts): SuspensionOperations {
  const { store, clock, rememberMs } = parts;
  const findSuspension = async (key: string) =>
    (await readSuspensions(store)).find((suspension) => keyOfSuspension(suspension) === key);

  return {
    async suspend(request) {
      const at = clock.now();
      const suspension = { ...checked(request, at, parts.directory), at };
      const before = await findSuspension(keyOfSuspension(suspension));
      const memos = [suspensionMemo(suspension), historyMemo(suspension, rememberMs)];
      if (before) memos.push(historyMemo({ ...before, endedAt: at, endedBy: suspension.by }, rememberMs));
      await store.writeMemos(memos);
      await tell(parts, before);
      return suspension;
    },
    async resume({ by, ...request }) {
      const wanted = { ...request, name: nameOf(request) };
      const key = keyOfSuspension(wanted);
      const before = await findSuspension(key);
      if (before === undefined) return { resumed: false };
      await store.removeMemos(suspensionKind, [key]);
      await store.writeMemos([historyMemo({ ...before, endedAt: clock.now(), endedBy: by }, rememberMs)]);
      await tell(parts, before);
      return { resumed: true };
    },
    listSuspensions: () => readSuspensions(store),
  };
}

/** Those in force are told, and then what the one before them held is let go: in this order, or some of it stays. */
async function tell(
  { store, clock, changed, look }: SuspensionParts,
  before: Suspension | undefined,
): Promise<void> {
  await changed(await readSuspensions(store));
  if (before === undefined) return;
  await store.unholdDestinations(suspensionEnd(before), clock.now());
  look();
}

function checked(
  suspension: Omit<Suspension, 'at'>,
  now: number,
  directory: Pick<Directory, 'isLocal'>,
): Omit<Suspension, 'at'> {
  const name = nameOf(suspension);
  if (suspension.scope === 'domain' && directory.isLocal(name)) {
    const what = `${name} is delivered here, not to another server. To suspend local delivery: --site local`;
    throw new AdminError('bad-request', what);
  }
  if (suspension.until !== undefined && suspension.until <= now)
    throw new AdminError('bad-request', 'That is over already. Give a time that is to come.');
  return { ...suspension, name };
}

function nameOf({ scope, name }: Pick<Suspension, 'scope' | 'name'>): string {
  if (scope === 'all') return '';
  return scope === 'site' ? anySite(name) : anyDomain(name);
}
