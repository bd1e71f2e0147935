import { expect, test } from 'vitest';
import { endpoint, queueId, recipient, start } from '../testing/journey.ts';
import type { DossierEvent } from './event.ts';
import { formatTimeline } from './timeline.ts';

test('formatTimeline() tells every kind of event', () => {
  const events: DossierEvent[] = [
    {
      at: start,
      queueId,
      event: 'refused',
      data: { from: '', to: [recipient], reply: '550 5.1.1 no', rule: 'unknown' },
    },
    {
      at: start,
      queueId,
      recipient,
      event: 'redirected',
      data: { from: 'postmaster@example.net', rule: 'postmaster' },
    },
    {
      at: start,
      queueId,
      recipient,
      event: 'failed',
      data: { reason: '550 no', status: '5.1.1', phase: 'sending DATA', rule: '5xx is final' },
    },
    {
      at: start,
      queueId,
      recipient,
      event: 'reported',
      data: { to: 'sender@example.com', kind: 'failure', report: 'R' },
    },
    {
      at: start,
      queueId,
      event: 'reported',
      data: { to: 'postmaster@example.com', kind: 'postmaster', report: 'S', rule: 'it may be forged' },
    },
    { at: start, queueId, recipient, event: 'inDoubt', data: { rule: 'may arrive twice' } },
    {
      at: start,
      queueId,
      recipient,
      event: 'delivered',
      data: { folder: 'Junk', file: 'accounts/x/Maildir/new/1' },
    },
    { at: start, queueId, recipient, event: 'dropped', data: { by: 'administrator' } },
  ];
  const text = formatTimeline(events);
  for (const words of [
    'Refused: 550 5.1.1 no',
    'from <> (no sender: a report)',
    'Recipient <postmaster@example.net> means <recipient@example.net>',
    'Failed for good: 550 no',
    'The sender <sender@example.com> was told of the failure',
    'The postmaster <postmaster@example.com> was told',
    'the sender was not told: it may be forged',
    'In doubt',
    'Delivered here, into Junk',
    'file: accounts/x/Maildir/new/1',
    'Removed from the queue by administrator',
  ]) {
    expect(text).toContain(words);
  }
});

test('formatTimeline() tells of doubt, of delay, of a move to IPv4 and of a repeat', () => {
  const inDoubt: DossierEvent = {
    ...{ at: start, queueId, recipient, event: 'inDoubt' as const },
    data: {
      rule: 'no answer to the final dot',
      reason: 'the other side closed the connection',
      status: '4.4.2',
      phase: 'sending end of data',
      endpoint,
      lostReplies: 2,
      nextAttemptAt: start + 600_000,
    },
  };
  const moved: DossierEvent = {
    ...{ at: start, queueId, recipient, event: 'attempted' as const },
    data: { endpoint, reused: false, dialogue: [], moved: 'our IPv6 address has no reverse name' },
  };
  const delay: DossierEvent = {
    ...{ at: start, queueId, event: 'reported' as const },
    data: { to: 'sender@example.com', kind: 'delay', report: 'R' },
  };
  const client = { address: '192.0.2.7', helo: 'laptop' };
  const repeated: DossierEvent = { at: start, queueId, event: 'repeated', data: { client } };
  const text = formatTimeline([inDoubt, moved, delay, repeated]);
  for (const words of [
    'In doubt: the other side closed the connection',
    'while sending end of data at mx.example.net',
    'why: no answer to the final dot',
    '2 attempts ended without a clear answer',
    'next attempt: 2026-04-12 03:38:01 UTC, in 10 minutes',
    'the same message goes over IPv4 now: our IPv6 address has no reverse name',
    'The sender <sender@example.com> was told of the delay',
    'Handed in once more, and not sent twice',
    'client: [192.0.2.7], calling itself laptop',
  ])
    expect(text).toContain(words);
});

test('formatTimeline() tells of no route without a time in which it was found', () => {
  const data = { domain: 'example.net', answers: ['example.net MX: no answer'], hosts: [], durationMs: 0 };
  const text = formatTimeline([{ at: start, queueId, event: 'routed', data }]);
  expect(text).toContain(' No route to example.net\n');
});

test('formatTimeline() tells which transport, why, and what a program was asked', () => {
  const why = 'the configuration has it for everything that has no transport of its own';
  const routed = (name: string, hosts: string[]): DossierEvent => ({
    at: start,
    queueId,
    event: 'routed',
    data: { domain: 'example.net', answers: [], hosts, durationMs: 1, transport: { name, domains: '*' } },
  });
  const command = ['/usr/bin/procmail', '-d', 'bob o', '--to=bob@example.net'];
  const text = formatTimeline([
    routed('relay lmtp /run/lmtp', ['0 /run/lmtp [/run/lmtp]']),
    {
      at: start,
      queueId,
      event: 'attempted',
      data: { endpoint: { host: '/run/lmtp', address: '/run/lmtp', port: 0 }, reused: false, dialogue: [] },
    },
    routed('pipe /usr/bin/procmail', []),
    {
      at: start,
      queueId,
      recipient,
      event: 'ran',
      data: { command, end: 'exit code 0: taken', durationMs: 9 },
    },
    { at: start, queueId, recipient, event: 'delivered', data: { program: '/usr/bin/procmail' } },
  ]);
  for (const words of [
    'transport: relay lmtp /run/lmtp',
    `why: ${why}`,
    'Spoke with socket /run/lmtp',
    'Mail for example.net goes to a program',
    'Ran /usr/bin/procmail for 9 ms: exit code 0: taken',
    'command: /usr/bin/procmail -d "bob o" --to=bob@example.net',
    'Delivered to /usr/bin/procmail',
  ]) {
    expect(text).toContain(words);
  }
});
