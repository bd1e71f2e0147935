import { expect, test } from 'vitest';
import { fakeClock } from '../testing/fake-clock.ts';
import { watchHealth } from './health.ts';

const day = 24 * 3600_000;
const never = new Promise<Error>(() => {});

test('a server is ready once all of it has started, and until it stops', () => {
  const watch = watchHealth({ broken: never, certificateEnds: () => undefined, clock: fakeClock() });
  expect(watch.health()).toEqual({ live: true, ready: false, why: ['the server is starting'] });
  watch.started();
  expect(watch.health()).toEqual({ live: true, ready: true, why: [] });
  watch.stopping();
  expect(watch.health()).toEqual({ live: true, ready: false, why: ['the server is stopping'] });
});

test('with a broken store it is not even live', async () => {
  const broken = Promise.resolve(new Error('no space'));
  const watch = watchHealth({ broken, certificateEnds: () => undefined, clock: fakeClock() });
  watch.started();
  await broken;
  expect(watch.health()).toEqual({ live: false, ready: false, why: ['the store is broken: no space'] });
});

test('a certificate is complained of before it ends, and with an expired one nobody is ready', () => {
  const clock = fakeClock();
  const endsAt = clock.now() + 10 * day;
  const watch = watchHealth({ broken: never, certificateEnds: () => endsAt, clock });
  watch.started();
  expect(watch.health().why).toEqual([]);
  clock.advance(5 * day);
  expect(watch.health()).toEqual({
    live: true,
    ready: true,
    why: ['the certificate ends in 5 days or less'],
  });
  clock.advance(5 * day);
  expect(watch.health()).toEqual({ live: true, ready: false, why: ['the certificate has expired'] });
});
