import { expect, test } from 'vitest';
import { createLog } from '../util/log.ts';
import type { OpenSession } from './connection.ts';
import { Crowd, crowdedIdleMs } from './crowd.ts';

interface FakeSession extends OpenSession {
  idleMs: number;
  leave(): Promise<void>;
}

function session(): FakeSession {
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    closed: promise,
    idleMs: 600_000,
    end: () => undefined,
    limitIdle(idleMs) {
      this.idleMs = idleMs;
    },
    async leave() {
      resolve();
      await promise;
    },
  };
}

function filled(count: number, idleMs = 600_000) {
  const crowd = new Crowd(() => ({ sessions: 100, idleMs }), createLog('silent'));
  const all = Array.from({ length: count }, session);
  for (const each of all) crowd.add(each);
  return { crowd, all, idle: () => new Set(all.map((each) => each.idleMs)) };
}

test('as long as there is room, silence is borne', () => {
  expect(filled(75).idle()).toEqual(new Set([600_000]));
});

test('in a crowd, it is not: by those that were there, nor by those that come', () => {
  const { crowd, idle } = filled(76);
  expect(idle()).toEqual(new Set([crowdedIdleMs]));
  const late = session();
  crowd.add(late);
  expect(late.idleMs).toBe(crowdedIdleMs);
  expect(crowd.sessions.size).toBe(77);
});

test('when half of it has left, it is again', async () => {
  const { all, idle, crowd } = filled(80);
  for (const each of all.splice(0, 30)) await each.leave();
  expect(idle()).toEqual(new Set([crowdedIdleMs]));
  await all.shift()?.leave();
  expect(idle()).toEqual(new Set([600_000]));
  expect(crowd.sessions.size).toBe(49);
});

test('who is asked for less silence than that in general is asked for no more in a crowd', () => {
  expect(filled(80, 5_000).idle()).toEqual(new Set([5_000]));
});
