/** For tests of the operations behind all faces: a store, a running server that only notes what it is asked, and the admin of both. */

import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest';
import type { Admin } from '../admin/admin.ts';
import { AdminError } from '../admin/admin-error.ts';
import { type LocalAdminParts, localAdmin } from '../admin/local-admin.ts';
import type { Running } from '../admin/running.ts';
import { Directory } from '../queue/directory.ts';
import { noneRefused } from '../reception/abuse/gate.ts';
import { adminParts } from './admin.ts';
import { places } from './schedule-stage.ts';
import { type TemporaryStore, temporaryStore } from './store.ts';

const domains = [{ name: 'example.com' }, { name: 'xn--bcher-kva.example' }];
const quietSite = { limits: places(3), allowed: 3, active: 0, waiting: 0, proven: true };

export const someHash = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA';

export interface AdminStage {
  readonly directory: TemporaryStore;
  /** What the running server has been asked. */
  readonly calls: string[];
  /** A test may have it do something else. */
  readonly running: Running;
  readonly local: Admin;
  /** Of another local admin; without `running` no server runs. */
  parts(more?: Partial<LocalAdminParts>): LocalAdminParts;
}

/** For all tests of a file: one store, without accounts and aliases at the beginning of each. */
export function adminStage(): AdminStage {
  let directory: TemporaryStore;
  let calls: string[];
  let remembered: Directory;
  let running: Running;
  let local: Admin;
  const parts = (more: Partial<LocalAdminParts> = {}) =>
    adminParts(directory.store, { directory: remembered, ...more });
  beforeAll(async () => {
    directory = await temporaryStore();
  });
  afterAll(() => directory[Symbol.asyncDispose]());
  beforeEach(() => {
    calls = [];
    remembered = new Directory({ store: directory.store, domains });
    vi.spyOn(remembered, 'forget').mockImplementation(() => void calls.push('changed'));
    running = notingServer(calls);
    local = localAdmin(parts({ running }));
  });
  afterEach(() => clear(directory));
  return {
    get directory() {
      return directory;
    },
    get calls() {
      return calls;
    },
    get running() {
      return running;
    },
    get local() {
      return local;
    },
    parts,
  };
}

async function clear({ store }: TemporaryStore): Promise<void> {
  for (const { address } of await store.listAccounts()) await store.eraseAccount(address);
  for (const { address } of await store.listAliases()) await store.setAlias({ address, targets: [] });
}

/** Refuses mail for nobody@example.com, and looks at often@example.org too often. */
const notingServer = (calls: string[]): Running => ({
  submit: async (from, recipients, content) => {
    if (recipients.includes('nobody@example.com')) throw new AdminError('refused', 'No such user here');
    calls.push(`${from} → ${recipients.join()}: ${content.length}`);
    return { queueId: 'Q', refused: [] };
  },
  checkAddress: async (address) => {
    if (address === 'often@example.org') throw new AdminError('too-many', 'Ask again in 5 min.');
    calls.push(`check ${address}`);
    const [steps, dialogue] = [[], []];
    return { address, verdict: 'cannot tell', why: '', steps, dialogue, checkedAt: 1, durationMs: 2 };
  },
  outlookOf: async ({ destination }) => ({ ...quietSite, site: `site of ${destination}` }),
  concurrency: 7,
  receiversForgotten: (site) => calls.push(`forget ${site ?? 'all'}`),
  lookAtSources: async () => [],
  endSessions: () => undefined,
  accountsChanged: () => undefined,
  abuseCounts: () => ({ since: 1, refused: noneRefused, delayed: 2, remembered: 3 }),
  forgiven: (network) => calls.push(`forgiven ${network}`),
  look: (all) => calls.push(all ? 'wake' : 'look'),
  withhold: async () => () => undefined,
  inLine: () => [],
  suspend: async (suspensions) => void calls.push(`suspend ${suspensions.map(({ name }) => name).join()}`),
});
