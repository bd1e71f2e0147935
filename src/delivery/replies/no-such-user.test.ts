import { expect, test } from 'vitest';
import { reply } from '../../smtp/reply.ts';
import { saysNoSuchUser } from './no-such-user.ts';

const atRcpt = (code: number, enhanced: string, text: string) =>
  saysNoSuchUser({ phase: 'sending RCPT TO', reply: reply(code, enhanced, text) });

test.each([
  [550, '5.1.1', '<x@example.net>: Recipient address rejected: User unknown in local recipient table'],
  [550, '5.1.1', 'The email account that you tried to reach does not exist.'],
  [550, '5.1.6', 'Mailbox has moved'],
  [550, '5.1.10', 'RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup'],
  [550, '', 'No such user here'],
  [550, '', 'Unknown user'],
  [553, '', 'sorry, this recipient is not found'],
  [550, '', "user doesn't exist"],
  [550, '', 'This user does not have a example.net account'],
])('saysNoSuchUser() takes %i %s %s', (code, enhanced, text) => {
  expect(atRcpt(code, enhanced, text)).toBe(true);
});

test.each([
  [450, '', 'No such user here, yet'],
  [550, '5.1.1', 'Blocked by spamhaus.example'],
  [550, '5.7.1', 'No such user'],
  [550, '5.2.2', 'Mailbox full'],
  [550, '5.2.1', 'The mailbox is disabled'],
  [552, '', 'No such user'],
  [550, '', 'Relaying denied'],
  [550, '', 'Requested action not taken: mailbox unavailable'],
  [550, '5.1.8', 'Bad sender domain'],
])('saysNoSuchUser() does not take %i %s %s', (code, enhanced, text) => {
  expect(atRcpt(code, enhanced, text)).toBe(false);
});

test('saysNoSuchUser() takes nothing that is said of all recipients, or that no server said', () => {
  const said = reply(550, '5.1.1', 'No such user');
  expect(saysNoSuchUser({ phase: 'sending end of data', reply: said })).toBe(false);
  expect(saysNoSuchUser({ phase: 'looking up MX of example.net' })).toBe(false);
});
