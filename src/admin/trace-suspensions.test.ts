import { expect, test } from 'vitest';
import type { DossierEvent } from '../dossier/event.ts';
import { formatTimeline } from '../dossier/timeline.ts';
import type { SuspensionHistory } from '../queue/suspensions.ts';
import { withSuspensions } from './trace-suspensions.ts';

const queueId = '01JRMGQ4TQ0A1B';
const recipient = 'a@example.net';
const accepted: DossierEvent = {
  at: 1000,
  queueId,
  event: 'accepted',
  data: { via: 'submission', from: 'b@example.com', to: [recipient], sizeBytes: 1 },
};
const routed: DossierEvent = {
  at: 1001,
  queueId,
  event: 'routed',
  data: { domain: 'example.net', answers: [], hosts: ['10 mx.example.net [192.0.2.1]'], durationMs: 1 },
};
const deferred: DossierEvent = {
  at: 1002,
  queueId,
  recipient,
  event: 'deferred',
  data: { reason: '450', status: '4.2.0', phase: 'x', rule: 'y', attempts: 1, nextAttemptAt: 9000 },
};
const delivered: DossierEvent = { at: 5000, queueId, recipient, event: 'delivered', data: {} };

const suspension = (more: Partial<SuspensionHistory>): SuspensionHistory => ({
  scope: 'all',
  name: '',
  by: 'root',
  at: 2000,
  ...more,
});
const isLocal = () => false;
const names = (history: SuspensionHistory[], events = [accepted, routed, deferred, delivered], now = 9000) =>
  withSuspensions(events, history, { now, isLocal })
    .map(({ at, event }) => `${at} ${event}`)
    .slice(3);

test('withSuspensions() tells of those that began and ended while the message waited', () => {
  const end = { endedAt: 3000, endedBy: 'ann' };
  expect(names([suspension(end)])).toEqual(['2000 suspended', '3000 resumed', '5000 delivered']);
  expect(names([suspension({ scope: 'domain', name: 'example.net' })])).toEqual([
    '2000 suspended',
    '5000 delivered',
  ]);
  expect(names([suspension({ scope: 'site', name: 'mx.example.net' })])).toEqual([
    '2000 suspended',
    '5000 delivered',
  ]);
});

test('withSuspensions() tells nothing of others', () => {
  const none = ['5000 delivered'];
  expect(names([suspension({ scope: 'domain', name: 'example.org' })])).toEqual(none);
  expect(names([suspension({ scope: 'site', name: 'mx.example.org' })])).toEqual(none);
  expect(names([suspension({ at: 5000 })])).toEqual(none);
  expect(names([suspension({ at: 500, endedAt: 900 })])).toEqual(none);
  // It came while it was suspended, and an event of its own says so.
  expect(names([suspension({ at: 500, endedAt: 3000 })])).toEqual(['3000 resumed', '5000 delivered']);
});

test('withSuspensions() does not tell of an end that is to come', () => {
  const until = 8000;
  const waiting = [accepted, routed, deferred];
  expect(names([suspension({ until, endedAt: until })], waiting, 7000)).toEqual(['2000 suspended']);
  expect(names([suspension({ until, endedAt: until })], waiting, 8000)).toEqual([
    '2000 suspended',
    '8000 resumed',
  ]);
});

test('formatTimeline() reads like a story with them', () => {
  const history = [suspension({ reason: 'moving house', endedAt: 3000, endedBy: 'ann', until: 9000 })];
  const story = formatTimeline(withSuspensions([accepted, deferred], history, { now: 9000, isLocal }));
  expect(story).toContain('All delivery: suspended by root');
  expect(story).toContain('why: moving house');
  expect(story).toContain('All delivery: resumed by ann');
});
