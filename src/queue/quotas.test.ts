import { beforeEach, describe, expect, test } from 'vitest';
import type { Memo } from '../store/memo-store.ts';
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts';
import { createLog } from '../util/log.ts';
import { fullForGoodMs, type QuotaParts, Quotas, recountAllMs, recountMs } from './quotas.ts';
import type { Recipient } from './recipient.ts';

const account = 'bob@example.com';
const bob: Recipient = { kind: 'local', address: account, destination: '', quotaBytes: 1000 };
const eve: Recipient = { kind: 'local', address: 'eve@example.com', destination: '', quotaBytes: 5000 };
const free: Recipient = { kind: 'local', address: 'free@example.com', destination: '' };
const ann: Recipient = { kind: 'remote', address: 'ann@example.net', destination: 'example.net' };

let clock: FakeClock;
let memos: Map<string, Memo>;
let onDisk: Record<string, number>;
let measured: string[];
let warned: { account: string; bytes: number; quotaBytes: number }[];

const parts = (): QuotaParts => ({
  measure: async (address) => {
    measured.push(address);
    return onDisk[address] ?? 0;
  },
  warn: async (usage) => void warned.push(usage),
  store: {
    listMemos: async () => [...memos.values()],
    writeMemos: async (written) => {
      for (const memo of written) memos.set(memo.key, memo);
    },
    removeMemos: async (_kind, keys) => keys.filter((key) => memos.delete(key)).length,
  },
  clock,
  log: createLog('silent'),
});

beforeEach(() => {
  clock = fakeClock();
  memos = new Map();
  onDisk = {};
  measured = [];
  warned = [];
});

const deliver = (quotas: Quotas, bytes: number) => {
  onDisk[account] = (onDisk[account] ?? 0) + bytes;
  quotas.delivered(account, bytes);
};

describe('Quotas.roomFor()', () => {
  test('asks nobody where one of them may hold any amount, or is elsewhere', async () => {
    const quotas = await Quotas.read(parts());
    for (const recipients of [[], [free], [ann], [bob, free], [ann, bob]])
      expect(quotas.roomFor(recipients, 10)).toBeUndefined();
    expect(measured).toEqual([]);
  });

  test('looks once, then counts what is delivered', async () => {
    const quotas = await Quotas.read(parts());
    onDisk[account] = 100;
    for (let count = 0; count < 7; count++) {
      expect(await quotas.roomFor([bob], 100)).toBe('enough');
      deliver(quotas, 100);
    }
    expect(measured).toEqual([account]);
  });

  test('a full mailbox is full for now, and after a day for good; over a restart, too', async () => {
    const quotas = await Quotas.read(parts());
    onDisk[account] = 1000;
    expect(await quotas.roomFor([bob], 0)).toBe('full');
    clock.advance(fullForGoodMs - 1);
    expect(await quotas.roomFor([bob], 0)).toBe('full');
    clock.advance(1);
    const again = await Quotas.read(parts());
    expect(await again.roomFor([bob], 0)).toBe('fullForGood');
    onDisk[account] = 500;
    clock.advance(recountMs);
    expect(await again.roomFor([bob], 100)).toBe('enough');
    expect(memos.size).toBe(0);
    onDisk[account] = 1000;
    clock.advance(recountAllMs);
    expect(await again.roomFor([bob], 0)).toBe('full');
  });

  test('what does not fit is turned away, what does is not; what never could is told so', async () => {
    const quotas = await Quotas.read(parts());
    onDisk[account] = 800;
    expect(await quotas.roomFor([bob], 201)).toBe('full');
    expect(await quotas.roomFor([bob], 200)).toBe('enough');
    expect(await quotas.roomFor([bob], 1001)).toBe('never');
  });

  test('others may take mail away: looks anew before it turns away, but not all the time', async () => {
    const quotas = await Quotas.read(parts());
    onDisk[account] = 1000;
    for (let count = 0; count < 5; count++) expect(await quotas.roomFor([bob], 0)).toBe('full');
    expect(measured).toHaveLength(1);
    onDisk[account] = 10;
    expect(await quotas.roomFor([bob], 0)).toBe('full');
    clock.advance(recountMs);
    expect(await quotas.roomFor([bob], 0)).toBe('enough');
    expect(measured).toHaveLength(2);
  });

  test('of several behind one address, one that has room is enough', async () => {
    const quotas = await Quotas.read(parts());
    onDisk = { [account]: 1000, [eve.address]: 1000 };
    expect(await quotas.roomFor([bob, eve], 100)).toBe('enough');
    onDisk[eve.address] = 6000;
    clock.advance(recountAllMs);
    expect(await quotas.roomFor([bob, eve], 100)).toBe('full');
    expect(await quotas.roomFor([bob, eve], 3000)).toBe('full');
  });

  test('a mailbox that keeps a copy of what it passes on has to have room for it', async () => {
    const quotas = await Quotas.read(parts());
    onDisk[account] = 1000;
    const passedOn = { ...ann, forwardedBy: account };
    expect(await quotas.roomFor([passedOn, bob], 0)).toBe('full');
    expect(quotas.roomFor([passedOn], 0)).toBeUndefined();
    expect(quotas.roomFor([passedOn, bob, ann], 0)).toBeUndefined();
  });

  test('looks once for many who ask at the same time', async () => {
    const quotas = await Quotas.read(parts());
    await Promise.all(Array.from({ length: 20 }, () => quotas.roomFor([bob], 1)));
    expect(measured).toEqual([account]);
  });
});

describe('Quotas.delivered()', () => {
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  test('tells the user at 90 %, once, and again after there was room', async () => {
    const quotas = await Quotas.read(parts());
    await quotas.roomFor([bob], 100);
    for (let count = 0; count < 8; count++) deliver(quotas, 100);
    await settled();
    expect(warned).toEqual([]);
    for (let count = 0; count < 4; count++) deliver(quotas, 100);
    await settled();
    expect(warned.map((each) => each.account)).toEqual([account]);
    const again = await Quotas.read(parts());
    await again.roomFor([bob], 1);
    deliver(again, 1);
    await settled();
    expect(warned).toHaveLength(1);
    onDisk[account] = 500;
    clock.advance(recountAllMs);
    expect(await again.roomFor([bob], 100)).toBe('enough');
    deliver(again, 450);
    await settled();
    expect(warned).toHaveLength(2);
  });

  test('does not tell of what others have cleared meanwhile', async () => {
    const quotas = await Quotas.read(parts());
    await quotas.roomFor([bob], 100);
    clock.advance(recountMs);
    onDisk[account] = 10;
    quotas.delivered(account, 950);
    await settled();
    expect(warned).toEqual([]);
  });

  test('counts for nobody who was never asked for', async () => {
    const quotas = await Quotas.read(parts());
    quotas.delivered('free@example.com', 10);
    expect(measured).toEqual([]);
  });
});
