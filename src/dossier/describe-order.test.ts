import { expect, test } from 'vitest';
import type { DossierEvent } from './event.ts';
import { summarise } from './summary.ts';
import { formatTimeline } from './timeline.ts';

const at = Date.UTC(2026, 3, 12, 3, 28);
const recipient = 'a@example.net';
const base = { at, queueId: '01JRMGQ4TQ0A1B', recipient };
const by = 'root';
const until = at + 2 * 3600_000;

test.each<[DossierEvent, string[]]>([
  [
    { ...base, event: 'held', data: { by, reason: 'legal asks' } },
    ['Put on hold by root', 'why: legal asks', 'its time stands still'],
  ],
  [{ ...base, event: 'released', data: { by } }, ['Released from hold by root']],
  [{ ...base, event: 'retried', data: { by } }, ['Due now: root asked for an attempt']],
  [
    { ...base, event: 'readdressed', data: { by, to: 'b@example.org' } },
    ['Sent to <b@example.org> instead, by root'],
  ],
  [
    { ...base, event: 'dropped', data: { by, reason: 'spam' } },
    ['Removed from the queue by root', 'why: spam'],
  ],
  [
    { ...base, event: 'suspended', data: { by, scope: 'site', name: 'mx.example.net', until } },
    [
      'The site mx.example.net: suspended by root',
      'nothing is tried until 2026-04-12 05:28:00 UTC, in 2 hours',
    ],
  ],
  [
    { ...base, event: 'suspended', data: { by, scope: 'all', name: '' } },
    ['All delivery: suspended by root', 'nothing is tried until it is resumed'],
  ],
  [
    { ...base, event: 'resumed', data: { scope: 'domain', name: 'example.net' } },
    ['Mail to example.net: resumed, since its time was over'],
  ],
  [{ ...base, event: 'resumed', data: { by, scope: 'all', name: '' } }, ['All delivery: resumed by root']],
  [
    { ...base, event: 'suppressed', data: { failures: 2, until } },
    [
      'Mail of our users to <a@example.net> is refused from now on',
      'said 2 times that nobody has this address',
    ],
  ],
  [
    { ...base, event: 'unsuppressed', data: { by } },
    ['Mail to <a@example.net> is no longer refused: root ended that'],
  ],
])('an order reads like a story: %j', (event, expected) => {
  const story = formatTimeline([event]);
  for (const text of expected) expect(story).toContain(text);
});

test('summarise() knows what an order leaves a recipient in', () => {
  const state = (...events: DossierEvent[]) => summarise(events)[0]?.state;
  const held: DossierEvent = { ...base, event: 'held', data: { by } };
  expect(state(held)).toBe('held');
  expect(state(held, { ...base, event: 'released', data: { by } })).toBe('deferred');
  expect(state(held, { ...base, event: 'retried', data: { by } })).toBe('held');
  expect(state(held, { ...base, event: 'readdressed', data: { by, to: 'b@example.org' } })).toBe(
    'readdressed',
  );
});

test('what waits for the end of a suspension has no time of its own', () => {
  const data = {
    reason: 'all delivery is suspended by root',
    status: '4.3.2',
    phase: 'waiting in the queue',
    rule: 'x',
    attempts: 0,
  };
  const event: DossierEvent = {
    ...base,
    event: 'deferred',
    data: { ...data, nextAttemptAt: Date.UTC(9999, 11, 31) },
  };
  expect(formatTimeline([event])).toContain('next attempt: when that ends, not tried so far');
});
