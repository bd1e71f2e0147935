import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { startTimeServer } from '../testing/time-server.ts';
import { systemClock } from '../util/clock.ts';
import { askTime, readTime, writeTime } from './sntp.ts';

const options = { clock: systemClock, timeoutMs: 2_000 };

test.each([0, 3_600_000, -90_000])('askTime() finds an offset of %i ms', async (aheadMs) => {
  await using server = await startTimeServer();
  server.aheadMs = aheadMs;
  const answer = await askTime(server, options);
  expect('offsetMs' in answer && Math.abs(answer.offsetMs - aheadMs)).toBeLessThan(200);
});

test('askTime() says why it does not know', async () => {
  const deaf = createSocket('udp4');
  deaf.bind(0, '127.0.0.1');
  await once(deaf, 'listening');
  const { address, port } = deaf.address();
  expect(await askTime({ address, port }, { ...options, timeoutMs: 20 })).toEqual({
    error: 'no reply within 20 ms',
  });
  const signal = AbortSignal.abort();
  expect(await askTime({ address, port }, { ...options, signal })).toEqual({ error: 'no time was left' });
  deaf.close();
  await once(deaf, 'close');
  expect(await askTime({ address, port }, options)).toMatchObject({ error: expect.any(String) });
});

test('readTime() reads what writeTime() writes, also when the seconds begin anew in 2036', () => {
  const packet = Buffer.alloc(48);
  for (const ms of [Date.UTC(2026, 0, 1), Date.UTC(2036, 1, 7, 6, 28, 16) + 500, Date.UTC(2040, 5, 1)]) {
    writeTime(packet, 8, ms);
    expect(Math.abs(readTime(packet, 8) - ms)).toBeLessThan(1);
  }
});
