import { expect, test } from 'vitest';
import type { DossierEvent } from './event.ts';
import { summarise } from './summary.ts';
import { formatTimeline } from './timeline.ts';

const start = Date.UTC(2026, 3, 12, 3, 28, 1, 120);
const queueId = '01JRMGQ4TQ0A1B';
const recipient = 'recipient@example.net';
const endpoint = { host: 'mx.example.net', address: '192.0.2.7', port: 25 };

const taken: DossierEvent = {
  at: start,
  queueId,
  event: 'accepted',
  data: {
    via: 'submission',
    from: 'sender@example.com',
    to: [recipient],
    sizeBytes: 1234,
    account: 'sender@example.com',
    messageId: '<1@example.com>',
    client: { address: '192.0.2.1', helo: 'laptop' },
    tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
  },
};

const journey: DossierEvent[] = [
  taken,
  {
    at: start,
    queueId,
    event: 'signed',
    data: { domain: 'example.com', selector: 'posthorn', algorithm: 'rsa-sha256' },
  },
  {
    at: start + 5,
    queueId,
    recipient,
    event: 'routed',
    data: {
      domain: 'example.net',
      answers: ['example.net MX 10 mx.example.net', 'mx.example.net A 192.0.2.7'],
      hosts: ['mx.example.net'],
      durationMs: 3,
    },
  },
  {
    at: start + 10,
    queueId,
    recipient,
    event: 'attempted',
    data: {
      endpoint,
      reused: false,
      tls: { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', certificate: 'verified' },
      dialogue: [
        [2, 'S: 220 mx.example.net ESMTP'],
        [3, 'C: EHLO mx.example.com'],
        [4, 'S: 250-mx.example.net'],
        [4, 'S: 250 STARTTLS'],
        [5, 'C: STARTTLS'],
        [6, 'S: 220 2.0.0 Ready to start TLS'],
        [9, 'C: EHLO mx.example.com'],
        [10, 'S: 250 SIZE 52428800'],
        [11, 'C: MAIL FROM:<sender@example.com>'],
        [11, 'C: RCPT TO:<recipient@example.net>'],
        [12, 'S: 250 2.1.0 OK'],
        [12, 'S: 250 2.1.5 OK'],
        [12, 'C: DATA'],
        [13, 'S: 354 Go ahead'],
        [14, 'C: .'],
        [20, 'S: 250 2.0.0 OK: queued'],
        [20, 'C: QUIT'],
      ],
    },
  },
  {
    at: start + 31,
    queueId,
    recipient,
    event: 'delivered',
    data: { endpoint, reply: '250 2.0.0 OK: queued' },
  },
];

test('P14: formatTimeline() shows every line of the dialogue, with its time and an explanation', () => {
  expect(formatTimeline(journey)).toBe(`Message 01JRMGQ4TQ0A1B, 2026-04-12 (times in UTC)
recipient@example.net: sent

03:28:01.120  Accepted from our user sender@example.com
              client: [192.0.2.1], calling itself laptop
              encrypted: TLSv1.3, TLS_AES_256_GCM_SHA384
              from <sender@example.com> to <recipient@example.net>, 1,234 octets
              Message-ID: <1@example.com>
              on disk before it was acknowledged
03:28:01.120  Signed with DKIM for example.com
              rsa-sha256; receivers find the public key at posthorn._domainkey.example.com
03:28:01.125  Route to example.net found in 3 ms
              DNS: example.net MX 10 mx.example.net
              DNS: mx.example.net A 192.0.2.7
              to be tried in this order: 1. mx.example.net
03:28:01.130  Spoke with mx.example.net (192.0.2.7 port 25)
              encrypted: TLSv1.3, TLS_AES_128_GCM_SHA256; certificate: verified
              TLS policy: none was found, so TLS is used where it works
                # connected: the server greets
      +0.002    S: 220 mx.example.net ESMTP
                # the client introduces itself and asks what the server can do
      +0.003    C: EHLO mx.example.com
      +0.004    S: 250-mx.example.net
      +0.004    S: 250 STARTTLS
                # the client asks for an encrypted connection
      +0.005    C: STARTTLS
                # agreed; the TLS handshake happens here
      +0.006    S: 220 2.0.0 Ready to start TLS
                # once more, encrypted: what was said before counts no longer
      +0.009    C: EHLO mx.example.com
      +0.010    S: 250 SIZE 52428800
                # a new message; this is who hears of a failure
      +0.011    C: MAIL FROM:<sender@example.com>
                # one recipient; the server answers for each of them alone
      +0.011    C: RCPT TO:<recipient@example.net>
      +0.012    S: 250 2.1.0 OK
      +0.012    S: 250 2.1.5 OK
                # the client asks to send the message itself
      +0.012    C: DATA
                # go ahead
      +0.013    S: 354 Go ahead
                # a dot alone: here the message ends
      +0.014    C: .
                # taken: from here on the server is responsible for it
      +0.020    S: 250 2.0.0 OK: queued
                # the client says goodbye
      +0.020    C: QUIT
03:28:01.151  Delivered to mx.example.net
              250 2.0.0 OK: queued
`);
});

test('formatTimeline() can leave the explanations out', () => {
  expect(formatTimeline(journey, { explain: false })).not.toContain('#');
});

test('formatTimeline() gives each of several recipients a part of its own', () => {
  const deferred: DossierEvent = {
    at: start + 86_400_000,
    queueId,
    recipient: 'other@example.org',
    event: 'deferred',
    data: {
      reason: '451 4.7.1 greylisted',
      status: '4.7.1',
      phase: 'sending RCPT TO',
      rule: '4xx: try again later',
      attempts: 1,
      nextAttemptAt: start + 86_400_000 + 15 * 60_000,
    },
  };
  const text = formatTimeline([...journey, deferred]);
  expect(text.split('\n\n').map((part) => part.split('\n')[0])).toEqual([
    'Message 01JRMGQ4TQ0A1B, 2026-04-12 (times in UTC)',
    '03:28:01.120  Accepted from our user sender@example.com',
    'recipient@example.net: sent',
    'other@example.org: queued, to be tried again',
  ]);
  expect(text).toContain(`03:28:01.120  Deferred: 451 4.7.1 greylisted
              while sending RCPT TO; status 4.7.1
              why: 4xx: try again later
              next attempt: 2026-04-13 03:43:01 UTC, in 15 minutes, after 1 attempt so far`);
});

test('formatTimeline() quotes the Authentication-Results field as it stands, and the rule that decided', () => {
  const authenticationResults =
    'Authentication-Results: mx.example.net;\r\n\tspf=fail smtp.mailfrom=example.com;\r\n\tdmarc=fail';
  const text = formatTimeline([
    {
      at: start,
      queueId,
      event: 'checked',
      data: {
        authenticationResults,
        spf: 'fail',
        dkim: 'none',
        dmarc: 'fail',
        decision: 'reject',
        rule: 'DMARC p=reject and nothing authenticates',
        durationMs: 12,
      },
    },
  ]);
  expect(text).toContain(`Sender checked in 12 ms: SPF fail, DKIM none, DMARC fail
              Authentication-Results: mx.example.net;
              \tspf=fail`);
  expect(text).toContain('decision: refuse it\n              why: DMARC p=reject and nothing authenticates');
});

test('formatTimeline() shows control characters of strangers and never sends them to the terminal', () => {
  const hostile: DossierEvent = {
    at: start,
    queueId,
    recipient,
    event: 'attempted',
    data: { endpoint, reused: false, dialogue: [[0, 'S: 220 \u001b[2J\u202egnp.exe\u009b1m']] },
  };
  const text = formatTimeline([hostile]);
  expect(text).toContain('S: 220 \\x1b[2J\\u{202e}gnp.exe\\x9b1m');
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
});

test('formatTimeline() uses colours only when asked', () => {
  expect(formatTimeline(journey)).not.toContain('\u001b');
  expect(formatTimeline(journey, { colour: true })).toContain('\u001b[32mDelivered');
});

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

test('summarise() tells the last decision for each recipient, and where an alias led', () => {
  expect(summarise(journey)).toMatchObject([
    { recipient, state: 'delivered', decidedBy: { event: 'delivered' } },
  ]);
  const redirected: DossierEvent = {
    at: start,
    queueId,
    recipient,
    event: 'redirected',
    data: { from: 'a@example.net', rule: 'alias' },
  };
  expect(summarise([taken, redirected])).toEqual([
    { recipient, state: 'underway', original: 'a@example.net' },
  ]);
});
