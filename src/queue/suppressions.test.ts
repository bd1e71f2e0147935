import { expect, test } from 'vitest';
import { parseAddress } from '../mail/address.ts';
import type { EventRow } from '../store/event-store.ts';
import { eventually } from '../testing/eventually.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { type TemporaryStore, temporaryStore } from '../testing/store.ts';
import { queueIds } from '../util/queue-id.ts';
import {
  apartMs,
  firstRefusalMs,
  rememberMs,
  type SuppressionPolicy,
  Suppressions,
  suppressionKind,
} from './suppressions.ts';

const day = 24 * 3600_000;
const address = parseAddress('Gone@Example.net') ?? { localPart: '', domain: '' };
const key = 'gone@example.net';

async function stage({ store }: TemporaryStore, policy: Partial<SuppressionPolicy> = {}) {
  const clock = fakeClock(Date.now());
  const nextQueueId = queueIds(clock.now, Math.random);
  const parts = {
    store,
    clock,
    nextQueueId,
    policy: { enabled: true, failures: 2, maxMs: 7 * day, ...policy },
  };
  const suppressions = await Suppressions.read(parts);
  const event = (name: string, data: EventRow['data'] = {}, recipient = 'gone@example.net') =>
    suppressions.note([{ at: clock.now(), queueId: 'Q1', recipient, event: name, data }]);
  return {
    clock,
    suppressions,
    event,
    refused: (recipient?: string) =>
      event('failed', { noSuchUser: true, reason: '550 5.1.1 No such user' }, recipient),
    isRefused: () => suppressions.findRefusal(address) !== undefined,
    reread: () => Suppressions.read(parts),
    written: (count: number) =>
      eventually(async () => (await store.listMemos(suppressionKind)).length === count || undefined, {
        explain: () => `not ${count} memos`,
      }),
  };
}

test('one refusal is remembered, and refuses nothing: a typing mistake locks nobody out', async () => {
  await using world = await temporaryStore();
  const { refused, isRefused, suppressions } = await stage(world);
  refused();
  refused(); // of the same moment: two letters that were under way
  expect(isRefused()).toBe(false);
  expect(suppressions.list()).toMatchObject([{ address: key, failures: 1, reply: '550 5.1.1 No such user' }]);
});

test('a second one, an hour later, refuses for a day, a third for two, and never for more than the policy says', async () => {
  await using world = await temporaryStore();
  const { clock, refused, isRefused, suppressions } = await stage(world);
  refused();
  for (const wait of [1, 2, 4, 7, 7]) {
    clock.advance(apartMs);
    refused();
    expect(isRefused()).toBe(true);
    clock.advance(wait * firstRefusalMs - 1);
    expect(isRefused(), `for ${wait} days`).toBe(true);
    clock.advance(1);
    expect(isRefused(), `after ${wait} days`).toBe(false);
  }
  expect(suppressions.find(address)).toMatchObject({ failures: 6 });
});

test('what is known survives a restart, and is forgotten a month after the last refusal', async () => {
  await using world = await temporaryStore();
  const { clock, refused, reread, written } = await stage(world, { failures: 1 });
  refused('GONE@example.net');
  await written(1);
  const again = await reread();
  expect(again.findRefusal(address)).toMatchObject({ failures: 1, queueId: 'Q1' });
  clock.advance(rememberMs);
  expect(again.list()).toEqual([]);
  again.note([
    { at: clock.now(), queueId: 'Q2', recipient: key, event: 'failed', data: { noSuchUser: true } },
  ]);
  expect(again.find(address)).toMatchObject({ failures: 1, queueId: 'Q2' });
});

test('a delivery ends it; another failure is none of its business', async () => {
  await using world = await temporaryStore();
  const { event, refused, isRefused, suppressions, written } = await stage(world, { failures: 1 });
  event('failed', { reason: '550 5.7.1 Blocked' });
  expect(suppressions.list()).toEqual([]);
  refused();
  await written(1);
  event('delivered', {}, 'other@example.net');
  expect(isRefused()).toBe(true);
  event('delivered');
  expect(isRefused()).toBe(false);
  await written(0);
});

test("an operator's word stays through failures and deliveries, until they take it back", async () => {
  await using world = await temporaryStore();
  const { clock, event, refused, isRefused, suppressions } = await stage(world);
  refused();
  const until = clock.now() + 40 * day;
  await suppressions.add(address, { by: 'root', reason: 'asked us to', until });
  event('delivered');
  clock.advance(39 * day);
  refused();
  expect(suppressions.findRefusal(address)).toMatchObject({ by: 'root', reason: 'asked us to' });
  expect(await suppressions.remove(address, 'ann')).toMatchObject({ address: key });
  expect(isRefused()).toBe(false);
  expect(await suppressions.remove(address, 'ann')).toBeUndefined();
  const told = await world.store.trace({ queueId: 'Q1', limit: 1 });
  expect(told).toMatchObject([
    { event: 'suppressed', recipient: key, data: { by: 'root', reason: 'asked us to', until } },
    { event: 'unsuppressed', recipient: key, data: { by: 'ann' } },
  ]);
});

test("an operator's word about an address that no message went to has a dossier of its own", async () => {
  await using world = await temporaryStore();
  const { clock, suppressions } = await stage(world);
  const until = clock.now() + day;
  await suppressions.add(address, { by: 'root', reason: 'asked us to', until });
  await suppressions.remove(address, 'ann');
  const told = await world.store.trace({ address: key, limit: 10 });
  expect(told.map(({ event, recipient, data }) => ({ event, recipient, data }))).toEqual([
    { event: 'suppressed', data: { to: key, by: 'root', reason: 'asked us to', until } },
    { event: 'unsuppressed', data: { to: key, by: 'ann' } },
  ]);
});

test('the dossier of the message that decided tells of it', async () => {
  await using world = await temporaryStore();
  const { refused, written } = await stage(world, { failures: 1 });
  refused();
  await written(1);
  expect(await world.store.trace({ address: key, limit: 1 })).toMatchObject([
    { event: 'suppressed', queueId: 'Q1', data: { failures: 1 } },
  ]);
});

test('switched off, it neither learns nor refuses', async () => {
  await using world = await temporaryStore();
  const { clock, refused, isRefused, suppressions } = await stage(world, { enabled: false, failures: 1 });
  refused();
  expect(suppressions.list()).toEqual([]);
  await suppressions.add(address, { by: 'root', until: clock.now() + day });
  expect(isRefused()).toBe(false);
});
