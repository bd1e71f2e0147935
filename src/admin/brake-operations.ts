/** Accounts whose mail is held, since they sent more than is usual of them: as operators see and release them. */

import type { Brake } from '../queue/brake/brake.ts';
import { brakeName } from '../queue/brake/braked.ts';
import type { QueueFilter } from '../store/queue-store.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import { noSuchAccount } from './account-settings.ts';
import { type Domains, localAddress } from './addresses.ts';
import type { Admin } from './admin.ts';

export type BrakeOperations = Pick<Admin, 'listBraked' | 'releaseAccount'>;

export interface BrakeOperationsParts {
  store: Pick<Store, 'changeJobs' | 'findAccount'>;
  brake(): Promise<Brake>;
  domains: Domains;
  clock: Clock;
  /** Jobs may be due that were not before. */
  look(): void;
}

/** Jobs changed at once: mail that comes in meanwhile waits for no more than that. */
const orderStep = 500;

export function brakeOperations(parts: BrakeOperationsParts): BrakeOperations {
  const { brake, domains } = parts;
  return {
    listBraked: async () => (await brake()).list(),
    async releaseAccount({ address, by, drop = false }) {
      const account = localAddress(address, domains);
      const before = await endHeld(parts, { account, by, drop });
      // Not before: should this end in between, the account is braked still, and somebody is reminded.
      const braked = await (await brake()).release(account, { approve: !drop });
      const count = before + (await endHeld(parts, { account, by, drop })); // with what came meanwhile
      // Of one that was removed there may be something to let go.
      if (!braked && count === 0 && !(await parts.store.findAccount(account))) throw noSuchAccount(account);
      return { count, ...(braked && { braked }) };
    },
  };
}

/** Sends what is held of an account, or takes it out; returns how many recipients that were. */
async function endHeld(
  { store, clock, look }: BrakeOperationsParts,
  { account, by, drop }: { account: string; by: string; drop: boolean },
): Promise<number> {
  const filter: QueueFilter = { state: 'held', submitter: account, heldBy: brakeName };
  const events = { done: { event: drop ? 'dropped' : 'released', data: { by } } };
  const order = {
    filter,
    change: { kind: drop ? 'drop' : 'release' },
    by,
    events,
    limit: orderStep,
  } as const;
  let count = 0;
  for (let after: string | undefined, first = true; first || after !== undefined; first = false) {
    const step = { ...order, now: clock.now(), ...(after !== undefined && { after }) };
    const { jobs, next } = await store.changeJobs(step);
    count += jobs.length;
    after = next;
    look();
  }
  return count;
}
