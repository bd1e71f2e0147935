import { expect, test } from 'vitest';
import { authorsOf, fromField, mayUse, qualified } from './permit.ts';
import { qualifyFields } from './qualify.ts';

const senders = [{ user: 'www-data', as: ['shop@example.com', 'example.org'] }];
const terms = { senders, ownDomains: ['example.com', 'mx.example.com'] };

test.each([
  ['ann', 'ann@example.com', true],
  ['ann', 'ANN@example.com', true],
  ['ann', 'ann@mx.example.com', true],
  ['ann', 'bob@example.com', false],
  ['ann', 'ann@example.org', false],
  ['www-data', 'shop@example.com', true],
  ['www-data', 'anybody@example.org', true],
  ['www-data', 'anybody@sub.example.org', false],
  ['ann', 'shop@example.com', false],
])('user %s may use %s: %s', (user, text, expected) => {
  const address = qualified(text, 'example.com');
  expect(address && mayUse({ user, isTrusted: false }, address, terms)).toBe(expected);
});

test('who is trusted may use all', () => {
  expect(mayUse({ user: 'root', isTrusted: true }, { localPart: 'a', domain: 'example.net' }, terms)).toBe(
    true,
  );
});

test('authorsOf() reads From and Sender, however many', () => {
  expect(
    authorsOf(Buffer.from('From: A <a@x.example>, b@x.example\r\nSender: c@x.example\r\n\r\n')),
  ).toHaveLength(3);
  expect(authorsOf(Buffer.from('To: a@x.example\r\n\r\n'))).toEqual([]);
  expect(authorsOf(Buffer.from('From: <a@\r\n\r\n'))).toBeUndefined();
});

test.each([
  [undefined, 'a@x.example'],
  ['Cron Daemon', '"Cron Daemon" <a@x.example>'],
  ['a "b" \\', '"a \\"b\\" \\\\" <a@x.example>'],
  ['x\r\nBcc: y', 'a@x.example'],
  ['Full Näme', '=?utf-8?b?RnVsbCBOw6RtZQ==?= <a@x.example>'],
])('fromField() with the name %j', (name, expected) => {
  expect(fromField({ localPart: 'a', domain: 'x.example' }, name)).toBe(expected);
});

test.each([
  ['From: root (Cron Daemon)', 'From: root@x.example (Cron Daemon)'],
  ['To: root', 'To: root@x.example'],
  ['Cc: root, a@y.example', 'Cc: root@x.example, a@y.example'],
  ['From: Cron Daemon <root>', 'From: Cron Daemon <root@x.example>'],
  ['To: a@y.example', 'To: a@y.example'],
  ['Subject: root', 'Subject: root'],
  ['To: <a@', 'To: <a@'],
])('qualifyFields() of %s', (field, expected) => {
  const content = (line: string) => Buffer.from(`X: 1\r\n${line}\r\n\r\nbody\r\nTo: root\r\n`);
  expect(String(qualifyFields(content(field), 'x.example'))).toBe(String(content(expected)));
});
