import { expect, test } from 'vitest';
import { Greylist } from '../reception/greylist/greylist.ts';
import { SenderHistory } from '../reception/history/history.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { temporaryStore } from '../testing/store.ts';
import { createLog } from '../util/log.ts';
import { turnstile } from '../util/turnstile.ts';
import { defaultGraceMs, removalOperations } from './account-removal.ts';
import { RemovalWatch } from './removal-watch.ts';

const domains = [{ name: 'example.com' }];
const hour = 3600_000;
const log = createLog('silent');
const greylisting = { minutes: 5, windowHours: 48, days: 36, passes: 5 };

test('what was removed is erased when its time of grace is over, and not before; what was restored stays', async () => {
  await using directory = await temporaryStore();
  const { store } = directory;
  const clock = fakeClock();
  const changed: (string | undefined)[] = [];
  const parts = {
    ...{ store, domains, clock, log, turns: turnstile(1) },
    changed: (removed?: string) => void changed.push(removed),
    senders: () => SenderHistory.read({ store, clock, log }),
    greylist: () => Greylist.read({ store, clock, log, config: greylisting }),
  };
  const [gone, back] = ['gone@example.com', 'back@example.com'];
  await store.addAccounts([gone, back].map((address) => ({ address, passwordHash: 'x', createdAt: 1 })));
  // By the store's own clock, which is the machine's.
  const [at, expiresAt] = [clock.now(), Date.now() + 365 * 24 * hour];
  const waiting = { firstAt: at, lastAt: at, attempts: 1, endsAt: expiresAt };
  const refused = [{ recipient: 'nobody@example.com', reply: '550 5.1.1 No such user here' }];
  const learned = [gone, back].flatMap((address) => [
    { kind: 'app-passwords', key: address, value: [] },
    { kind: 'braked', key: address, value: {} },
    { kind: 'acquaintance', key: `${address}\ta@example.org`, value: { lastAt: at }, expiresAt },
    { kind: 'hand-in-refusals', key: `of ${address}`, value: { from: address, refused }, expiresAt },
    { kind: 'greylist', key: `192.0.2.0/24 example.org ${address}`, value: waiting, expiresAt },
  ]);
  await store.writeMemos(learned);
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
  const left = await Promise.all(
    learned.map(async ({ kind, key }) => [key, (await store.findMemo(kind, key)) !== undefined] as const),
  );
  expect(left).toEqual(learned.map(({ key }) => [key, key.includes(back)]));
  expect(await store.findAccount(back)).toEqual({ address: back, passwordHash: 'x', createdAt: 1 });
  expect(changed).toContain(gone);
});
