import { expect, test } from 'vitest';
import { passedSockets, takePassedCount, tcpPlace, unixPlace } from './passed-sockets.ts';

test.each([
  [{ LISTEN_FDS: '2', LISTEN_PID: '7', LISTEN_FDNAMES: 'a:b' }, 2],
  [{ LISTEN_FDS: '2', LISTEN_PID: '8' }, 0],
  [{ LISTEN_FDS: '2' }, 0],
  [{ POSTHORN_LISTEN_FDS: '3' }, 3],
  [{ LISTEN_FDS: 'many', LISTEN_PID: '7' }, 0],
  [{ LISTEN_FDS: '-1', LISTEN_PID: '7' }, 0],
  [{}, 0],
])('takePassedCount() of %j is %d, and nobody else hears of it', (variables, count) => {
  const env: Record<string, string | undefined> = { ...variables, PATH: '/bin' };
  expect(takePassedCount(env, 7)).toBe(count);
  expect(env).toEqual({ PATH: '/bin' });
});

test.each([
  [
    '   0: 0100007F:0019 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0',
    [['4711', { address: '127.0.0.1', port: 25 }]],
  ],
  [
    '   1: 00000000000000000000000000000000:01D1 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 12 1',
    [['12', { address: '::', port: 465 }]],
  ],
  [
    '   2: B80D0120000000000000000001000000:0019 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 13 1',
    [['13', { address: '2001:db8::1', port: 25 }]],
  ],
  ['   3: 0100007F:0019 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4712 1', []],
  ['', []],
])('tcpPlace() reads %s', (line, place) => {
  expect(tcpPlace(line)).toEqual(place);
});

test.each([
  [
    'ffff8880: 00000002 00000000 00010000 0001 01 22 /run/posthorn/lmtp',
    [['22', { path: '/run/posthorn/lmtp' }]],
  ],
  ['ffff8880: 00000003 00000000 00000000 0001 03 23 /run/other', []],
  ['ffff8880: 00000002 00000000 00010000 0001 01 24', []],
])('unixPlace() reads %s', (line, place) => {
  expect(unixPlace(line)).toEqual(place);
});

test('passedSockets() leaves out what listens nowhere', async () => {
  expect(await passedSockets(0)).toEqual([]);
});
