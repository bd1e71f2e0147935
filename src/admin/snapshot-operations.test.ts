import { expect, test } from 'vitest';
import { fakeClock } from '../testing/fake-clock.ts';
import { snapshotLeaseMs, snapshotOperations } from './snapshot-operations.ts';

function world(held = true) {
  const clock = fakeClock(1000);
  const calls: string[] = [];
  const operations = snapshotOperations({
    clock,
    async freeze() {
      calls.push('freeze');
      return {
        async end() {
          calls.push('end');
          return held;
        },
      };
    },
  });
  return { clock, calls, operations };
}

test('beginSnapshot() holds the store until endSnapshot(), as long as it is renewed', async () => {
  const { clock, calls, operations } = world();
  const { id, at, leaseMs } = await operations.beginSnapshot();
  expect({ at, leaseMs }).toEqual({ at: 1000, leaseMs: snapshotLeaseMs });
  await expect(operations.beginSnapshot()).rejects.toThrow('Another backup is under way');
  for (let times = 0; times < 3; times++) {
    clock.advance(leaseMs - 1);
    await operations.renewSnapshot({ id });
  }
  expect(calls).toEqual(['freeze']);
  expect(await operations.endSnapshot({ id })).toEqual({ held: true });
  expect(clock.planned).toEqual([]);
  expect((await operations.beginSnapshot()).id).not.toBe(id);
});

test('who is not heard of any more holds nothing, and is told so', async () => {
  const { clock, calls, operations } = world();
  const { id } = await operations.beginSnapshot();
  clock.advance(snapshotLeaseMs);
  await expect.poll(() => calls).toEqual(['freeze', 'end']);
  await expect(operations.renewSnapshot({ id })).rejects.toThrow('has let go of the store');
  await expect(operations.endSnapshot({ id })).rejects.toThrow('Run the backup again');
  await operations.beginSnapshot();
});

test('who has gone holds nothing: the next begins at once, after the end of that', async () => {
  const { clock, calls, operations } = world();
  const gone = new AbortController();
  const { id } = await operations.beginSnapshot(gone.signal);
  gone.abort();
  const next = await operations.beginSnapshot();
  expect(calls).toEqual(['freeze', 'end', 'freeze']);
  await expect(operations.endSnapshot({ id })).rejects.toThrow('has let go of the store');
  expect(await operations.endSnapshot(next)).toEqual({ held: true });
  expect(clock.planned).toEqual([]);
});

test('who goes when it has ended ends nobody else’s', async () => {
  const { calls, operations } = world();
  const gone = new AbortController();
  await operations.endSnapshot(await operations.beginSnapshot(gone.signal));
  await operations.beginSnapshot();
  gone.abort();
  expect(calls).toEqual(['freeze', 'end', 'freeze']);
});

test('who goes before the store is frozen leaves it free', async () => {
  const { promise: slow, resolve: freezeNow } = Promise.withResolvers<void>();
  const calls: string[] = [];
  const freeze = async () => {
    await slow;
    calls.push('freeze');
    return {
      async end() {
        calls.push('end');
        return true;
      },
    };
  };
  const operations = snapshotOperations({ clock: fakeClock(0), freeze });
  const gone = new AbortController();
  const begun = operations.beginSnapshot(gone.signal);
  gone.abort();
  const next = operations.beginSnapshot();
  freezeNow();
  await expect(begun).rejects.toThrow('has let go of the store');
  await next;
  expect(calls).toEqual(['freeze', 'end', 'freeze']);
});

test('endSnapshot() says where the store has changed', async () => {
  const { operations } = world(false);
  const { id } = await operations.beginSnapshot();
  expect(await operations.endSnapshot({ id })).toEqual({ held: false });
});

test('beginSnapshot() that fails leaves the way free, and wants a server', async () => {
  let fails = true;
  const operations = snapshotOperations({
    clock: fakeClock(0),
    async freeze() {
      if (fails) throw new Error('no room');
      return { end: async () => true };
    },
  });
  await expect(operations.beginSnapshot()).rejects.toThrow('no room');
  fails = false;
  await operations.beginSnapshot();
  await expect(snapshotOperations({ clock: fakeClock(0) }).beginSnapshot()).rejects.toThrow(
    'Only a running server',
  );
});
