import { expect, test } from 'vitest';
import type { QueueFilter } from '../store/queue-store.ts';
import { sampleJob, sampleMessage } from '../testing/store.ts';
import { matchesOf } from './matches.ts';

const job = sampleJob('Q1', { queuedAt: 1000 });
const { message } = sampleMessage('Q1');
const site = '10 mx.example.net:25';
const local = sampleJob('Q1', { kind: 'local', destination: '', recipient: 'Bob@example.com' });

test.each<[QueueFilter, string | undefined, boolean]>([
  [{}, undefined, true],
  [
    { queueId: 'Q1', recipient: 'Recipient@example.net', sender: 'SENDER@example.com' },
    'mx.example.net',
    true,
  ],
  [
    { destination: 'Example.net', queuedBefore: 1000, queuedAfter: 1000, state: 'waiting' },
    'example.net',
    true,
  ],
  [{ queueId: 'Q2' }, undefined, false],
  [{ recipient: 'x@example.net' }, undefined, false],
  [{ sender: '' }, undefined, false],
  [{ destination: 'example.org' }, undefined, false],
  [{ queuedBefore: 999 }, undefined, false],
  [{ queuedAfter: 1001 }, undefined, false],
  [{ state: 'held' }, undefined, false],
  [{}, 'mx.example.org', false],
])('matchesOf() says of %j at %s: %s', (filter, wanted, expected) => {
  expect(matchesOf(filter, wanted)(job, message, site)).toBe(expected);
});

test('matchesOf() knows the domains of local delivery', () => {
  expect(matchesOf({ destination: '', localDomain: 'example.com' }, undefined)(local, message, 'local')).toBe(
    true,
  );
  expect(matchesOf({ destination: '', localDomain: 'ample.com' }, undefined)(local, message, 'local')).toBe(
    false,
  );
  expect(matchesOf({}, 'local')(local, message, 'local')).toBe(true);
});
