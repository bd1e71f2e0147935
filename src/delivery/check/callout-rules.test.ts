import { expect, test } from 'vitest';
import { ConversationError } from '../../smtp/conversation.ts';
import { reply } from '../../smtp/reply.ts';
import { calloutRules, meaningOfCallout } from './callout-rules.ts';

interface Sample {
  code?: number;
  enhanced?: string;
  text: string;
}

/** At least one refusal for each line of the table, in its order, as receivers word it. */
const samples: Sample[][] = [
  [
    {
      enhanced: '5.7.1',
      text: 'Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org',
    },
    { enhanced: '5.1.1', text: '192.0.2.1 is listed at bl.example; user unknown' },
  ],
  [{ enhanced: '5.7.25', text: 'The IP address sending this message does not have a PTR record setup' }],
  [{ text: 'Sender verify failed' }, { enhanced: '5.7.1', text: 'null sender is not allowed here' }],
  [{ code: 553, enhanced: '5.1.8', text: '<>: Domain not found' }],
  [{ enhanced: '5.4.1', text: 'Recipient address rejected: Access denied. [AM5EUR03]' }],
  [
    { code: 554, enhanced: '5.7.1', text: '<bob@example.net>: Relay access denied' },
    { text: 'relay not permitted' },
  ],
  [{ code: 552, enhanced: '5.2.2', text: 'The email account is over quota' }],
  [{ code: 552, text: 'Requested mail action aborted: exceeded storage allocation' }],
  [{ code: 552, text: 'no' }],
  [
    {
      enhanced: '5.1.1',
      text: '<bob@example.net>: Recipient address rejected: User unknown in local recipient table',
    },
    { code: 556, enhanced: '5.1.10', text: 'recipient domain has null MX' },
  ],
  [{ enhanced: '5.2.1', text: 'The email account that you tried to reach is disabled' }],
  [
    { enhanced: '5.7.1', text: 'Recipient rejected: user unknown' },
    { enhanced: '5.7.133', text: 'not authenticated' },
  ],
  [
    { text: 'Requested action not taken: mailbox unavailable' },
    { text: 'No such user here' },
    { code: 554, text: 'Unrouteable address' },
    { text: 'sorry, no mailbox here by that name' },
    { enhanced: '5.0.0', text: 'bob@example.net... User unknown' },
  ],
  [
    { code: 551, text: 'no' },
    { code: 553, text: 'no' },
  ],
];

test('calloutRules has samples for each of its lines', () => {
  expect(samples).toHaveLength(calloutRules.length);
});

const cases = samples.flatMap((list, index) => list.map((sample) => ({ ...sample, index })));
test.each(cases)(
  'M11: meaningOfCallout() reads $code $enhanced $text',
  ({ code = 550, enhanced = '', text, index }) => {
    const rule = calloutRules[index];
    const meaning = meaningOfCallout({
      by: 'reply',
      phase: 'sending RCPT TO',
      reply: reply(code, enhanced, text),
    });
    expect(meaning).toBe(rule);
  },
);

test.each([
  ['yes', 250, '2.1.5', 'ok'],
  ['yes', 251, '2.1.5', 'will forward'],
  ['unclear', 252, '2.1.5', 'cannot verify'],
  ['unclear', 450, '4.7.1', 'Greylisted, come back in 5 minutes'],
  ['unclear', 452, '4.2.2', 'mailbox full'],
  ['unclear', 550, '', 'Access denied'],
  ['unclear', 550, '5.7.1', 'no'],
  ['unclear', 503, '5.5.1', 'bad sequence'],
  ['unclear', 550, '5.1.1', 'Greylisted; user unknown'],
])('M11: meaningOfCallout() says %s to %d %s %s', (says, code, enhanced, text) => {
  const verdict = { by: 'reply', phase: 'sending RCPT TO', reply: reply(code, enhanced, text) } as const;
  expect(meaningOfCallout(verdict)).toMatchObject({ says });
});

test('M11: meaningOfCallout() does not count against an address what came before it was named', () => {
  const refused = reply(550, '5.1.1', 'user unknown');
  for (const verdict of [
    { by: 'reply', phase: 'sending MAIL FROM', reply: refused },
    { by: 'connection', phase: 'sending RCPT TO', error: new ConversationError('closed', 'gone') },
    { by: 'policy', phase: 'negotiating TLS', fault: { type: 'certificate-expired', reason: 'old' } },
  ] as const)
    expect(meaningOfCallout(verdict)).toMatchObject({ says: 'unclear' });
});

test.each(['user unknown ', 'relay access ', 'mailbox x does not ', 'sender '])(
  'meaningOfCallout() takes no time over a megabyte of "%s"',
  (words) => {
    const text = words.repeat(1_000_000 / words.length);
    const began = performance.now();
    meaningOfCallout({ by: 'reply', phase: 'sending RCPT TO', reply: reply(550, '', text) });
    expect(performance.now() - began).toBeLessThan(100);
  },
);
