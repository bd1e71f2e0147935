import { expect, test } from 'vitest';
import { fakeClock } from '../testing/fake-clock.ts';
import { temporaryStore } from '../testing/store.ts';
import { createLog } from '../util/log.ts';
import { turnstile } from '../util/turnstile.ts';
import { defaultGraceMs, removalOperations } from './account-removal.ts';
import { RemovalWatch } from './removal-watch.ts';

const domains = [{ name: 'example.com' }];
const hour = 3600_000;

test('what was removed is erased when its time of grace is over, and not before; what was restored stays', async () => {
  await using directory = await temporaryStore();
  const { store } = directory;
  const clock = fakeClock();
  const changed: (string | undefined)[] = [];
  const parts = {
    ...{ store, domains, clock, log: createLog('silent'), turns: turnstile(1) },
    changed: (removed?: string) => void changed.push(removed),
  };
  const [gone, back] = ['gone@example.com', 'back@example.com'];
  await store.addAccounts([gone, back].map((address) => ({ address, passwordHash: 'x', createdAt: 1 })));
  await store.writeMemos([{ kind: 'app-passwords', key: gone, value: [] }]);
  const { removeAccount, restoreAccount } = removalOperations(parts);
  for (const address of [gone, back])
    expect(await removeAccount({ address })).toEqual({ eraseAt: clock.now() + defaultGraceMs });

  const watch = new RemovalWatch(parts);
  watch.start();
  clock.advance(defaultGraceMs - hour);
  await watch.stop();
  expect((await store.listRemovedAccounts()).map(({ address }) => address)).toEqual([back, gone]);

  await restoreAccount({ address: back });
  clock.advance(hour);
  const next = new RemovalWatch(parts);
  next.start();
  await expect.poll(() => store.listRemovedAccounts()).toEqual([]);
  await next.stop();
  expect(await store.findAccount(gone)).toBeUndefined();
  expect(await store.findMemo('app-passwords', gone)).toBeUndefined();
  expect(await store.findAccount(back)).toEqual({ address: back, passwordHash: 'x', createdAt: 1 });
  expect(changed).toContain(gone);
});
