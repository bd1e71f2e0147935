import { describe, expect, test } from 'vitest';
import type { DossierEvent } from '../../dossier/event.ts';
import type { Memo } from '../../store/memo-store.ts';
import { fakeClock } from '../../testing/fake-clock.ts';
import { createLog } from '../../util/log.ts';
import { Brake, type BrakePolicy, leastOutcomes } from './brake.ts';
import { reasonOf } from './braked.ts';
import { writeDelayMs } from './volumes.ts';

const bob = 'bob@example.com';
const hour = 3600_000;
const day = 24 * hour;
const noon = Date.UTC(2026, 0, 5, 12);

const people = (count: number) => Array.from({ length: count }, (_, index) => `p${index}@example.net`);
const sending = (count: number, client = '192.0.2.1') => ({ recipients: people(count), client });

/** Memos in memory, and settings of accounts. */
function fakeStore(settings: Record<string, number> = {}) {
  const memos = new Map<string, Memo>();
  let writes = 0;
  return {
    memos,
    settings,
    writes: () => writes,
    failing: false,
    listMemos: async (kind: string) => [...memos.values()].filter((memo) => memo.kind === kind),
    findMemo: async (kind: string, key: string) => memos.get(`${kind} ${key}`),
    async writeMemos(these: Memo[]) {
      if (this.failing) throw new Error('the disk is full');
      writes++;
      for (const memo of these) memos.set(`${memo.kind} ${memo.key}`, JSON.parse(JSON.stringify(memo)));
    },
    async removeMemos(kind: string, keys: string[]) {
      for (const key of keys) memos.delete(`${kind} ${key}`);
      return keys.length;
    },
    async findAccount(address: string) {
      const hourlyRecipients = settings[address];
      const account = { address, passwordHash: '', createdAt: 0 };
      return hourlyRecipients === undefined ? account : { ...account, settings: { hourlyRecipients } };
    },
  };
}

async function stage(policy: Partial<BrakePolicy> = {}, store = fakeStore()) {
  const clock = fakeClock(noon);
  const parts = {
    store,
    clock,
    log: createLog('silent'),
    policy: { enabled: true, hourlyRecipients: 50, ...policy },
  };
  const brake = await Brake.read(parts);
  const told: string[] = [];
  brake.onBraked = (account) => void told.push(account);
  return { brake, clock, store, told, reopen: () => Brake.read(parts) };
}

describe('recipients', () => {
  test('up to 50 within an hour are nothing; what goes beyond is held, and all that comes after it', async () => {
    const { brake, told } = await stage();
    for (let letter = 0; letter < 5; letter++) expect(await brake.take(bob, sending(10))).toBeUndefined();
    expect(await brake.take(bob, sending(1))).toMatch(
      /^51 recipients within an hour, more than 50 .* 30 days before was 0.*posthorn account release bob@example\.com$/,
    );
    expect(await brake.take(bob, sending(1))).toMatch(/^51 recipients/);
    expect(await brake.take('ann@example.com', sending(1))).toBeUndefined();
    expect(told).toEqual([bob]);
    expect(brake.list()).toMatchObject([{ account: bob, held: 2, clients: [['192.0.2.1', 52, noon]] }]);
  });

  test('one message to a thousand counts a thousand', async () => {
    const { brake } = await stage();
    expect(await brake.take(bob, sending(1000))).toMatch(/^1000 recipients within an hour/);
  });

  test('spread over hours they are not too many', async () => {
    const { brake, clock } = await stage();
    for (let count = 0; count < 24; count++, clock.advance(hour))
      expect(await brake.take(bob, sending(50))).toBeUndefined();
  });

  test('five times as many as ever before in 30 days are allowed', async () => {
    const { brake, clock } = await stage();
    for (let letter = 0; letter < 4; letter++) await brake.take(bob, sending(10));
    clock.advance(day);
    expect(await brake.take(bob, sending(200))).toBeUndefined();
    expect(await brake.take(bob, sending(1))).toMatch(/^201 .* more than 200 .* was 40/);
  });

  test('what was sent on the same day is no measure: nobody grows by steps within a day', async () => {
    const { brake, clock } = await stage();
    await brake.take(bob, sending(50));
    clock.advance(2 * hour);
    expect(await brake.take(bob, sending(51))).toMatch(/^51 recipients/);
  });

  test('what was not accepted after all does not count', async () => {
    const { brake } = await stage();
    for (let times = 0; times < 20; times++) {
      expect(await brake.take(bob, sending(40))).toBeUndefined();
      brake.giveBack(bob, sending(40));
    }
  });

  test('an account may have a limit of its own, or none, and a change counts at once', async () => {
    const { brake, store } = await stage({}, fakeStore({ [bob]: 5, 'list@example.com': 0 }));
    expect(await brake.take('list@example.com', sending(100_000))).toBeUndefined();
    expect(await brake.take(bob, sending(5))).toBeUndefined();
    store.settings[bob] = 100;
    brake.forget();
    expect(await brake.take(bob, sending(95))).toBeUndefined();
    expect(await brake.take(bob, sending(1))).toMatch(/more than 100/);
  });

  test('switched off, nobody is braked but who has a limit of their own', async () => {
    const { brake } = await stage({ enabled: false }, fakeStore({ 'app@example.com': 5 }));
    expect(await brake.take(bob, sending(10_000))).toBeUndefined();
    expect(await brake.take('app@example.com', sending(6))).toMatch(/more than 5/);
  });
});

const event = (name: 'delivered' | 'failed', data: object): DossierEvent =>
  ({ at: noon, queueId: 'Q', recipient: 'x@example.net', event: name, data }) as DossierEvent;
const delivered = event('delivered', {});
const unknown = event('failed', { status: '5.1.1', noSuchUser: true });
const noDomain = event('failed', { status: '5.1.2' });
const blocked = event('failed', { status: '5.7.1' });

describe('bounces', () => {
  test('of more than a fifth of 20 brake; they are told in the reason', async () => {
    const { brake, told } = await stage();
    for (let count = 0; count < 15; count++) brake.note(bob, [delivered]);
    for (let count = 0; count < 4; count++) brake.note(bob, [unknown]);
    await expect.poll(() => told).toEqual([]);
    brake.note(bob, [noDomain]);
    await expect.poll(() => told).toEqual([bob]);
    const [braked] = brake.list();
    expect(braked && reasonOf(braked)).toMatch(
      /^of 20 recipients within a day, 5 are addresses that nobody has; if that is right: posthorn account release/,
    );
    expect(await brake.take(bob, sending(1))).toMatch(/^of 20 recipients/);
  });

  test.each([
    ['fewer than 20', [...Array(leastOutcomes - 1).fill(unknown)]],
    ['a fifth', [...Array(16).fill(delivered), ...Array(4).fill(unknown)]],
    ['none for a bad address', [...Array(30).fill(blocked)]],
  ])('%s do not', async (_, events) => {
    const { brake, told } = await stage();
    for (const each of events) brake.note(bob, [each]);
    brake.note(undefined, Array(100).fill(unknown));
    expect(await brake.take(bob, sending(1))).toBeUndefined();
    expect(told).toEqual([]);
  });

  test('of more than a day ago are forgotten', async () => {
    const { brake, clock, told } = await stage();
    brake.note(bob, Array(19).fill(unknown));
    await brake.take(bob, sending(1));
    clock.advance(day + hour);
    brake.note(bob, [unknown, delivered]);
    await brake.take(bob, sending(1));
    expect(told).toEqual([]);
  });
});

describe('a release', () => {
  test('forgives the count, and so much is usual from now on', async () => {
    const { brake, clock } = await stage();
    await brake.take(bob, sending(80));
    expect(await brake.release(bob, { approve: true })).toMatchObject({ volume: { count: 80 } });
    expect(await brake.take(bob, sending(50))).toBeUndefined();
    clock.advance(day);
    expect(await brake.take(bob, sending(400))).toBeUndefined();
    expect(await brake.take(bob, sending(1))).toMatch(/more than 400/);
  });

  test('of what was not the user makes nothing usual', async () => {
    const { brake, clock } = await stage();
    await brake.take(bob, sending(80));
    await brake.release(bob, { approve: false });
    clock.advance(day);
    expect(await brake.take(bob, sending(51))).toMatch(/more than 50/);
  });

  test('of who is not braked says so', async () => {
    const { brake } = await stage();
    expect(await brake.release(bob, { approve: true })).toBeUndefined();
  });
});

describe('a restart', () => {
  test('forgets no brake: it is on disk before anything is held by it', async () => {
    const { brake, reopen } = await stage();
    await brake.take(bob, sending(51));
    const later = await reopen();
    expect(await later.take(bob, sending(1))).toMatch(/^51 recipients/);
    expect(later.list()).toMatchObject([{ account: bob }]);
    await later.release(bob, { approve: true });
    expect((await reopen()).list()).toEqual([]);
  });

  test('forgets no peak, and no count', async () => {
    const { brake, clock, reopen } = await stage();
    await brake.take(bob, sending(30));
    await brake.stop();
    const later = await reopen();
    expect(await later.take(bob, sending(21))).toMatch(/^51 recipients/);
    await later.release(bob, { approve: true });
    clock.advance(day);
    expect(await (await reopen()).take(bob, sending(255))).toBeUndefined();
  });
});

test('what a hundred users send within ten seconds is one write', async () => {
  const { brake, clock, store } = await stage();
  for (let user = 0; user < 100; user++)
    for (let letter = 0; letter < 10; letter++) await brake.take(`user${user}@example.com`, sending(1));
  clock.advance(writeDelayMs);
  await expect.poll(store.writes).toBe(1);
  expect(store.memos.size).toBe(100);
});

test('a brake that cannot be written down holds nothing: the client keeps its message', async () => {
  const { brake, store, told } = await stage();
  store.failing = true;
  await expect(brake.take(bob, sending(51))).rejects.toThrow('the disk is full');
  expect([brake.list(), told]).toEqual([[], []]);
});

test('the evidence names the app passwords that it came by, before and after', async () => {
  const { brake } = await stage();
  const by = (count: number, appPassword: string) => ({ ...sending(count), appPassword });
  await brake.take(bob, by(40, 'phone'));
  await brake.take(bob, sending(5));
  await brake.take(bob, by(10, 'printer'));
  await brake.take(bob, by(1, 'phone'));
  expect(brake.find(bob)?.appPasswords?.map(([name, count]) => [name, count])).toEqual([
    ['phone', 41],
    ['printer', 10],
  ]);
});
