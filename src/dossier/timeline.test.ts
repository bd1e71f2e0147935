import { expect, test } from 'vitest';
import { endpoint, journey, queueId, recipient, start } from '../testing/journey.ts';
import type { DossierEvent } from './event.ts';
import { formatTimeline } from './timeline.ts';

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
