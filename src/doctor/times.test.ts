import { expect, test } from 'vitest';
import type { Https } from '../net/https.ts';
import { DnsLooks } from './dns-looks.ts';
import { askTimes } from './times.ts';

const { signal } = new AbortController();
const ask = async () => ({ error: 'nobody is asked' });
const looks = new DnsLooks({ ask, resolvers: [], port: 53, now: Date.now, signal });
const now = Date.UTC(2026, 10, 28);
const web =
  (date: string | undefined): Https =>
  async () => ({ status: 301, headers: { date }, body: Buffer.alloc(0), certificate: 'verified' });
const parts = { looks, signal, now: () => now, servers: [{ host: '192.0.2.1', port: 123 }] };
const silent = async () => ({ error: 'no reply' });

test('askTimes() asks time servers, and no web server where one of them answers', async () => {
  const told = await askTimes({ ...parts, askTime: async () => ({ offsetMs: 7 }), https: web('nonsense') });
  expect(told).toEqual([{ offsetMs: 7, by: '192.0.2.1' }]);
});

test('P12: askTimes() takes the date of a web server where no time server answers', async () => {
  const date = new Date(now + 3_600_000).toUTCString();
  expect(await askTimes({ ...parts, askTime: silent, https: web(date) })).toEqual([
    { error: '192.0.2.1: no reply' },
    { offsetMs: 3_600_500, by: 'https://192.0.2.1/' },
  ]);
});

test('askTimes() says what went wrong where nobody tells', async () => {
  expect(await askTimes({ ...parts, askTime: silent, https: web(undefined) })).toEqual([
    { error: '192.0.2.1: no reply' },
    { error: 'https://192.0.2.1/ tells no date' },
  ]);
  const named = { ...parts, servers: [{ host: 'time.example', port: 123 }] };
  const failing: Https = async () => ({ kind: 'dns', problem: 'no address' });
  expect(await askTimes({ ...named, askTime: silent, https: failing })).toEqual([
    { error: 'time.example has no address' },
    { error: 'https://time.example/: no address' },
  ]);
  expect(await askTimes({ ...parts, servers: [], askTime: silent, https: failing })).toEqual([]);
});
