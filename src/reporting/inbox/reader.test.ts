import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { fakeClock } from '../../testing/fake-clock.ts';
import { createReportReader, readTimeoutMs } from './reader.ts';

const google = readFileSync(
  new URL('../../../testdata/reports/mox-dmarc-reports/google.eml', import.meta.url),
);
/** Takes a while: XML that is large and right. */
const slow = (() => {
  const xml = gzipSync(`<feedback>${'<record><a>x</a></record>'.repeat(240_000)}</feedback>`);
  return Buffer.from(
    `Content-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n${xml.toString('base64')}`,
  );
})();

test('a report is read on a thread of its own, and after a rest on another', async () => {
  const reader = createReportReader({ clock: fakeClock(0), tokenField: 'x' });
  expect((await reader.read(google)).kind).toBe('dmarc');
  expect((await reader.read(google)).kind).toBe('dmarc');
  await reader.rest();
  expect((await reader.read(google)).kind).toBe('dmarc');
  await reader.rest();
});

test('a report that takes too long is given up, and the next is read', async () => {
  const clock = fakeClock(0);
  const reader = createReportReader({ clock, tokenField: 'x' });
  const reading = reader.read(slow);
  await clock.advance(readTimeoutMs);
  expect(await reading).toEqual({ kind: 'unreadable', problem: 'reading it took over 30 s' });
  expect((await reader.read(google)).kind).toBe('dmarc');
  await reader.rest();
});
