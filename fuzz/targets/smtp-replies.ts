/** Replies of other servers: cut into pieces, quoted in outcomes and in reports to the sender. */

import { meaningOfCallout } from '../../src/delivery/check/callout-rules.ts';
import { statusOf } from '../../src/delivery/replies/classify.ts';
import { findFailureRule } from '../../src/delivery/replies/failure-rules.ts';
import { maxNamedWaitMs, meaningOf } from '../../src/delivery/replies/reply-meaning.ts';
import { composeFailureReport } from '../../src/dsn/failure-report.ts';
import { parseExtensions } from '../../src/smtp/client-extensions.ts';
import { type Reply, replyText } from '../../src/smtp/reply.ts';
import { ReplyParser, ReplySyntaxError } from '../../src/smtp/reply-parser.ts';
import { smtpReplies } from '../grammar/smtp.ts';
import { byteByByte, type Cut, cuts, whole } from '../packets.ts';
import { between, demand, demandSame, type Target } from './target.ts';

/** The replies up to the first octets that are none, and what was said about those. */
function repliesIn(input: Buffer, cut: Cut): { replies: Reply[]; error: string } {
  const parser = new ReplyParser();
  const replies: Reply[] = [];
  try {
    for (const piece of cut(input)) {
      parser.receive(piece);
      for (let reply = parser.next(); reply !== undefined; reply = parser.next()) replies.push(reply);
    }
    return { replies, error: '' };
  } catch (error) {
    if (error instanceof ReplySyntaxError) return { replies, error: error.message };
    throw error;
  }
}

function checkReply(reply: Reply): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there
  demand(!/[\x00-\x1f\x7f-\x9f]/.test(replyText(reply)), 'a control character is passed on');
  const waitMs = meaningOf(reply)?.waitMs ?? 0;
  demand(waitMs >= 0 && waitMs <= maxNamedWaitMs, 'a wait that nobody can mean');
  const rule = findFailureRule('sending RCPT TO', reply, '2001:db8::1');
  demand(rule === undefined || reply.code >= 500 || rule.action === 'IPv4', 'a rule for what is not refused');
  const { says } = meaningOfCallout({ by: 'reply', phase: 'sending RCPT TO', reply });
  demand(says !== 'no' || reply.code >= 500, 'an address that is refused for now counts as none');
  demand(/^[245]\.\d{1,3}\.\d{1,3}$/.test(statusOf(reply, 'sending RCPT TO')), 'not a status');
  parseExtensions(reply);
}

function report(replies: readonly Reply[]): Buffer {
  const endpoint = { host: 'mx.example.org', address: '192.0.2.1', port: 25 };
  const failures = replies.map((reply) => ({
    recipient: 'user@example.org',
    status: statusOf(reply, 'sending DATA'),
    reason: replyText(reply),
    phase: 'sending DATA',
    rule: '5xx: given up',
    endpoint,
    reply,
    lastAttemptAt: 0,
  }));
  return composeFailureReport({
    hostname: 'mx.example.net',
    queueId: 'Q',
    arrivedAt: 0,
    from: 'postmaster@example.net',
    sender: 'me@example.net',
    failures,
    header: Buffer.from('Subject: x\r\n\r\n'),
    now: 0,
    messageId: '<1@mx.example.net>',
  });
}

/** ASCII in lines of at most 998 octets, whatever the other server said. */
export function checkReport(octets: Buffer): void {
  const lines = octets.toString('latin1').split('\r\n');
  demand(
    lines.every((line) => line.length <= 998),
    'a line of the report is too long',
  );
  demand(!lines.some((line) => /[^\t\x20-\x7e]/.test(line)), 'the report is not plain ASCII');
}

function check(input: Buffer): void {
  const first = repliesIn(input, whole);
  for (const [name, cut] of cuts) demandSame(`what is read ${name}`, first, repliesIn(input, cut));
  for (const reply of first.replies) checkReply(reply);
  if (first.replies.length > 0) checkReport(report(first.replies.slice(0, 20)));
}

export const smtpReplyLines: Target = {
  name: 'smtp-replies',
  seeds: () =>
    ['250 ok\r\n', '250-a\r\n250-b\r\n250 c\r\n', '550 5.1.1 no\r\n', '550-5.1.1 ü\r\n550 5.1.1 b\r\n'].map(
      (text) => Buffer.from(text),
    ),
  generate: smtpReplies,
  read: (input) => repliesIn(input, whole),
  check,
  trickle: (input) => repliesIn(input, byteByByte),
  places: [between('250-'), between('250-ok\r\n'), between('250 2.0.0 ')],
};
