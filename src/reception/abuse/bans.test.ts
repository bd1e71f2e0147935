import { expect, test } from 'vitest';
import { fakeClock } from '../../testing/fake-clock.ts';
import { temporaryStore } from '../../testing/store.ts';
import { createLog } from '../../util/log.ts';
import { Bans, type BansParts, banKind, banPolicy, banWords, maxBans, writeDelayMs } from './bans.ts';

const minute = 60_000;
const hour = 60 * minute;
const policy = banPolicy({ banMinutes: 15, banMaxHours: 1 });
const nowhere: BansParts['store'] = {
  listMemos: async () => [],
  writeMemos: async () => undefined,
  removeMemos: async () => 0,
};

async function stage(store = nowhere, clock = fakeClock(Date.now())) {
  const bans = await Bans.read({ store, clock, log: createLog('silent'), policy });
  return { bans, clock, isBanned: (address: string) => bans.find(address) !== undefined };
}

test('a ban is of one client, or of its network, and ends by itself', async () => {
  const { bans, clock, isBanned } = await stage();
  bans.ban('192.0.2.1', 'too many failed logins');
  bans.ban('198.51.100.0/24', 'too many failed logins');
  bans.ban('2001:db8:0:1::/64', 'too many failed logins');
  expect(
    ['192.0.2.1', '192.0.2.2', '198.51.100.7', '2001:db8:0:1:9::9', '2001:db8:0:2::'].map(isBanned),
  ).toEqual([true, false, true, true, false]);
  clock.advance(15 * minute);
  expect(isBanned('192.0.2.1')).toBe(false);
  expect(bans.list()).toEqual([]);
});

test('who is banned again within a week is banned for longer, up to a limit; later it is as if nothing had been', async () => {
  const { bans, clock } = await stage();
  const lengths: number[] = [];
  const again = () => {
    const ban = bans.ban('192.0.2.1', 'x');
    lengths.push(((ban?.until ?? 0) - clock.now()) / minute);
    clock.advance((ban?.until ?? 0) - clock.now() + minute);
  };
  for (let times = 0; times < 4; times++) again();
  expect(lengths).toEqual([15, 30, 60, 60]);
  clock.advance(8 * 24 * hour);
  again();
  expect(lengths.at(-1)).toBe(15);
});

test('a second ban while one is in force changes nothing', async () => {
  const { bans, clock } = await stage();
  const first = bans.ban('192.0.2.1', 'x');
  clock.advance(minute);
  expect(bans.ban('192.0.2.1', 'y')).toBe(first);
});

test('an operator bans any block, for good or for a while', async () => {
  const { bans, clock, isBanned } = await stage();
  await bans.add({ network: '203.0.112.0/22', by: 'root', reason: 'hosts guessers' });
  await bans.add({ network: '192.0.2.0/24', by: 'root', until: clock.now() + hour });
  expect(isBanned('203.0.113.200')).toBe(true);
  expect(isBanned('203.0.116.1')).toBe(false);
  clock.advance(2 * hour);
  expect(isBanned('192.0.2.1')).toBe(false);
  expect(bans.list()).toMatchObject([{ network: '203.0.112.0/22', by: 'root', reason: 'hosts guessers' }]);
  expect(await bans.lift('203.0.112.0/22', 'root')).toBe(true);
  expect(isBanned('203.0.113.200')).toBe(false);
  expect(await bans.lift('203.0.112.0/22', 'root')).toBe(false);
});

test('bans outlive a restart, and so does how often there were some; lifted ones do not', async () => {
  await using world = await temporaryStore();
  const { bans, clock } = await stage(world.store);
  bans.ban('192.0.2.1', 'x');
  bans.ban('192.0.2.2', 'y');
  clock.advance(writeDelayMs);
  await bans.lift('192.0.2.2', 'root');
  await bans.add({ network: '203.0.113.0/25', by: 'root' });
  await bans.stop();
  const later = await stage(await world.reopen(), clock);
  expect(later.bans.list()).toMatchObject([{ network: '192.0.2.1' }, { network: '203.0.113.0/25' }]);
  expect(later.isBanned('203.0.113.9')).toBe(true);
  clock.advance(15 * minute);
  expect(later.bans.ban('192.0.2.1', 'x')).toMatchObject({ times: 2 });
});

test('many bans of one moment are one write', async () => {
  const writes: number[] = [];
  const store = { ...nowhere, writeMemos: async (memos: unknown[]) => void writes.push(memos.length) };
  const { bans, clock } = await stage(store);
  for (let index = 0; index < 200; index++) bans.ban(`192.0.2.${index}`, 'x');
  clock.advance(writeDelayMs);
  await bans.stop();
  expect(writes).toEqual([200]);
});

test('nobody gets rid of a ban by others: where all room is taken by bans in force, there is no new one', async () => {
  const { bans, clock, isBanned } = await stage();
  const name = (index: number) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
  for (let index = 0; index < maxBans; index++) bans.ban(name(index), 'x');
  expect(bans.ban('192.0.2.1', 'x')).toBeUndefined();
  expect([isBanned(name(0)), isBanned(name(maxBans - 1)), isBanned('192.0.2.1')]).toEqual([
    true,
    true,
    false,
  ]);
  await bans.add({ network: '192.0.2.2', by: 'root' });
  expect(isBanned('192.0.2.2')).toBe(true);
  clock.advance(15 * minute);
  expect(bans.ban('192.0.2.1', 'x')).toBeDefined();
});

test('what could not be written is in force all the same', async () => {
  const store = { ...nowhere, writeMemos: () => Promise.reject(new Error('no store')) };
  const { bans, isBanned } = await stage(store);
  bans.ban('192.0.2.1', 'x');
  await bans.stop();
  expect(isBanned('192.0.2.1')).toBe(true);
});

test('memos end when they are of no use any more', async () => {
  await using world = await temporaryStore();
  const { bans, clock } = await stage(world.store);
  bans.ban('192.0.2.1', 'x');
  await bans.stop();
  const [memo] = await world.store.listMemos(banKind);
  expect(memo?.expiresAt).toBe(clock.now() + 15 * minute + 7 * 24 * hour);
});

test('banWords() says until when, and why', () => {
  const ban = { network: '192.0.2.1', at: 0, times: 1, reason: 'too many failed logins' };
  expect(banWords({ ...ban, until: 15 * minute }, 0)).toBe(
    '192.0.2.1 may not connect for another 15 minutes: too many failed logins; ask the postmaster if that is wrong',
  );
  expect(banWords(ban, 0)).toMatch(/^192\.0\.2\.1 may not connect until that is lifted: /);
});
