import { expect, test } from 'vitest';
import { eventually } from '../../testing/eventually.ts';
import { fakeClock } from '../../testing/fake-clock.ts';
import { temporaryStore } from '../../testing/store.ts';
import { createLog } from '../../util/log.ts';
import { LoginPlaces, maxPlaces, placeLifeMs, placesKind } from './login-places.ts';

const hour = 3600_000;
const bob = 'bob@example.com';

async function stage() {
  const world = await temporaryStore();
  const clock = fakeClock(Date.now());
  let writes = 0;
  const store = {
    findMemo: (kind: string, key: string) => world.store.findMemo(kind, key),
    writeMemos: (memos: Parameters<typeof world.store.writeMemos>[0]) => {
      writes++;
      return world.store.writeMemos(memos);
    },
  };
  const open = () => new LoginPlaces({ store, clock, log: createLog('silent'), accountAuthFailures: 5 });
  const explain = () => 'not so many places are written down';
  return {
    clock,
    places: open(),
    open,
    writes: () => writes,
    /** Waits until so many places of bob's are written down. */
    known: (count: number) =>
      eventually(
        async () => {
          const memo = await world.store.findMemo(placesKind, bob);
          return Object.keys((memo?.value as object | undefined) ?? {}).length === count || undefined;
        },
        { explain },
      ),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

test('guesses at one account from everywhere shut out strangers, and nobody who has been there before', async () => {
  await using setup = await stage();
  const { places, known, clock } = setup;
  places.succeeded(bob, '192.0.2.1');
  await known(1);
  for (let guess = 0; guess < 6; guess++) {
    expect(await places.isBesieged(bob, '203.0.113.9')).toBe(false);
    places.failed('Bob@Example.com');
  }
  expect(await places.isBesieged(bob, '203.0.113.9')).toBe(true);
  expect(await places.isBesieged('BOB@example.com', '203.0.113.9')).toBe(true);
  expect(await places.isBesieged(bob, '192.0.2.1')).toBe(false);
  expect(await places.isBesieged('ann@example.com', '203.0.113.9')).toBe(false);
  clock.advance(hour);
  expect(await places.isBesieged(bob, '203.0.113.9')).toBe(false);
});

test.each(['"bob"@example.com', '"b\\ob"@example.com', '"\\B\\O\\B"@EXAMPLE.com'])(
  'guesses count together, also those at %s',
  async (spelled) => {
    await using setup = await stage();
    const { places } = setup;
    for (let guess = 0; guess < 6; guess++) places.failed(spelled);
    expect(await places.isBesieged(bob, '203.0.113.9')).toBe(true);
    for (let guess = 0; guess < 6; guess++) places.failed('ann@example.com');
    expect(await places.isBesieged(spelled.replace(/b\W?o\W?b/i, 'ann'), '203.0.113.9')).toBe(true);
  },
);

test('nobody learns from it whether there is such an account', async () => {
  await using setup = await stage();
  const { places } = setup;
  for (let guess = 0; guess < 6; guess++) places.failed('nobody@example.com');
  expect(await places.isBesieged('nobody@example.com', '203.0.113.9')).toBe(true);
});

test('a place is written down once a day, outlives a restart, and is forgotten when it is not used', async () => {
  await using setup = await stage();
  const { places, open, known, clock, writes } = setup;
  for (let login = 0; login < 100; login++) places.succeeded(bob, '192.0.2.1');
  await known(1);
  expect(writes()).toBe(1);
  const later = open();
  for (let guess = 0; guess < 6; guess++) later.failed(bob);
  expect(await later.isBesieged(bob, '192.0.2.1')).toBe(false);
  clock.advance(placeLifeMs);
  for (let guess = 0; guess < 6; guess++) later.failed(bob);
  expect(await later.isBesieged(bob, '192.0.2.1')).toBe(true);
});

test('of the places of an account the latest are kept, all that come at one moment too', async () => {
  await using setup = await stage();
  const { places, known, clock } = setup;
  for (let host = 0; host < maxPlaces + 5; host++) {
    places.succeeded(bob, `192.0.2.${host}`);
    clock.advance(1000);
  }
  await known(maxPlaces);
  for (let guess = 0; guess < 6; guess++) places.failed(bob);
  await eventually(async () => !(await places.isBesieged(bob, `192.0.2.${maxPlaces + 4}`)) || undefined, {
    explain: () => 'the latest place is not known',
  });
  expect(await places.isBesieged(bob, '192.0.2.0')).toBe(true);
});
