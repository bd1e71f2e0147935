import { expect, test } from 'vitest';
import { never } from '../store/never.ts';
import { sampleMessage } from '../testing/store.ts';
import type { Recipient } from './directory.ts';
import { heldEntry, newEntry } from './entry.ts';
import { defaultRetryPolicy } from './retry.ts';

const { lifetimeMs } = defaultRetryPolicy;
const { message } = sampleMessage('Q1');

const remote = (address: string): Recipient => ({ kind: 'remote', address, destination: 'example.net' });
const local = (address: string): Recipient => ({ kind: 'local', address, destination: '' });

test('not-6: newEntry() makes one job per recipient, each with a name of its own', () => {
  const recipients = [remote('a@example.net'), remote('b@example.net'), local('c@example.com')];
  const { jobs } = newEntry({ message, recipients, events: [] });
  expect(jobs.map(({ queueId, number, recipient }) => [queueId, number, recipient])).toEqual([
    ['Q1', 0, 'a@example.net'],
    ['Q1', 1, 'b@example.net'],
    ['Q1', 2, 'c@example.com'],
  ]);
});

test('newEntry() makes one job where two addresses lead to one person', () => {
  const person = local('bob@example.com');
  const recipients = [person, { ...person, redirected: { from: 'info@example.com', rule: 'alias' } }];
  expect(newEntry({ message, recipients, events: [] }).jobs).toHaveLength(1);
});

test('newEntry() makes jobs that are due at once and live as long as a message may', () => {
  const [job] = newEntry({ message, recipients: [remote('a@b.example')], events: [] }).jobs;
  expect(job).toMatchObject({
    attempts: 0,
    queuedAt: 1000,
    nextAttemptAt: 1000,
    expiresAt: 1000 + lifetimeMs,
  });
});

test('heldEntry() holds all of it, its time standing still, and says why for each', () => {
  const entry = newEntry({
    message,
    recipients: [remote('a@b.example'), local('bob@example.com')],
    events: [],
  });
  const { jobs, events } = heldEntry(entry, { by: 'the brake', reason: 'too much' });
  const held = { by: 'the brake', at: 1000, nextAttemptAt: 1000, expiresAt: 1000 + lifetimeMs };
  for (const job of jobs)
    expect(job).toMatchObject({ nextAttemptAt: never, expiresAt: never, memo: { held } });
  expect(events).toMatchObject(
    ['a@b.example', 'bob@example.com'].map((recipient) => {
      return { recipient, event: 'held', data: { by: 'the brake', reason: 'too much' } };
    }),
  );
});

test('newEntry() makes jobs that wait until their sender lets them go, and end when he wants them back', () => {
  const releaseAt = 5000;
  const held = {
    ...message,
    requests: { releaseAt, deliverBy: { at: 9000, mode: 'R' }, envid: 'x' } as const,
  };
  const recipients = [
    { ...remote('a@b.example'), requests: { notify: ['never'] as const } },
    local('c@d.example'),
  ];
  const { jobs } = newEntry({ message: held, recipients, events: [] });
  const times = { queuedAt: 1000, nextAttemptAt: 5000, expiresAt: 9000 };
  const asked = { releaseAt, deliverBy: { at: 9000, mode: 'R' } };
  expect(jobs[0]).toMatchObject({ ...times, requests: { notify: ['never'], ...asked } });
  expect(jobs[1]).toMatchObject({ ...times, requests: asked });
});

test('newEntry() puts each local job where its recipient has it, and says why', () => {
  const ruling = { folder: 'Junk', verdict: 'Junk; as it likes' } as const;
  const bob = { ...local('bob@example.com'), ruling };
  const recipients = [bob, local('ann@example.com'), { ...remote('a@example.net'), ruling }];
  const { jobs } = newEntry({ message, recipients, events: [] });
  expect(jobs.map(({ folder }) => folder)).toEqual(['Junk', 'Inbox', undefined]);
  expect(jobs.map(({ verdict }) => verdict)).toEqual(['Junk; as it likes', undefined, undefined]);
});

test('newEntry() expects no report about a message without a sender', () => {
  const options = { message, recipients: [remote('a@b.example')], events: [] };
  expect(newEntry({ ...options, sentFromHere: true }).sentFromHere).toBe(true);
  const report = { ...message, reversePath: '' };
  expect(newEntry({ ...options, message: report, sentFromHere: true }).sentFromHere).toBeUndefined();
});

test('newEntry() tells each redirection once, however often its alias was named', () => {
  const redirected = { from: 'info@example.com', rule: 'alias' };
  const twice = { ...local('bob@example.com'), redirected };
  const otherWay = { ...twice, redirected: { ...redirected, from: 'all@example.com' } };
  const { events } = newEntry({ message, recipients: [twice, otherWay, twice], events: [] });
  expect(events.map(({ data }) => data)).toEqual([redirected, otherWay.redirected]);
});

test('newEntry() tells the dossier who was resolved to whom, and keeps what the sender wrote', () => {
  const redirected = { from: 'info@example.com', rule: 'alias' };
  const { jobs, events } = newEntry({
    message,
    recipients: [{ ...local('bob@example.com'), redirected }],
    events: [],
  });
  expect(jobs[0]?.originalRecipient).toBe('info@example.com');
  expect(events).toEqual([
    { at: 1000, queueId: 'Q1', recipient: 'bob@example.com', event: 'redirected', data: redirected },
  ]);
});
