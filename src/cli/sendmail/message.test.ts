import { expect, test } from 'vitest';
import { readMessage } from './message.ts';

const read = (text: string, options: Partial<{ ignoreDots: boolean; fromHeader: boolean }> = {}) =>
  readMessage(Buffer.from(text, 'latin1'), { ignoreDots: true, fromHeader: false, ...options });
const messageOf = (...parameters: Parameters<typeof read>) => read(...parameters).message.toString('latin1');

test.each([
  ['To: a\n\nhello\n', 'To: a\r\n\r\nhello\r\n'],
  ['To: a\r\n\r\nhello', 'To: a\r\n\r\nhello'],
  ['hello\nworld\n', '\r\nhello\r\nworld\r\n'],
  ['\nhello\n', '\r\nhello\r\n'],
  ['', ''],
  ['From me Sat Nov 28 00:00:00 2026\nTo: a\n\nx', 'To: a\r\n\r\nx'],
])('readMessage() gives %j a header and CRLF line ends', (text, expected) => {
  expect(messageOf(text)).toBe(expected);
});

test.each([
  ['To: a\n\nhello\n.\nmore\n', 'To: a\r\n\r\nhello\r\n'],
  ['To: a\n\nhello\r\n.\r\nmore\r\n', 'To: a\r\n\r\nhello\r\n'],
  ['To: a\n\nhello\n.', 'To: a\r\n\r\nhello\r\n'],
  ['To: a\n\n..\n.x\n. \nhello\n', 'To: a\r\n\r\n..\r\n.x\r\n. \r\nhello\r\n'],
  ['.\nTo: a\n', ''],
])('without -i, %j ends at a dot alone', (text, expected) => {
  expect(messageOf(text, { ignoreDots: false })).toBe(expected);
});

test('with -i a dot alone is text', () => {
  expect(messageOf('To: a\n\n.\nmore\n')).toBe('To: a\r\n\r\n.\r\nmore\r\n');
});

test.each([
  [
    'To: A <a@example.org>, b@example.org\nCc: c@example.org\nBcc: d@example.org\n\nx',
    ['a@example.org', 'b@example.org', 'c@example.org', 'd@example.org'],
  ],
  ['To: root\nBcc: "x, y" <z@example.org>\n\nx', ['root', 'z@example.org']],
  ['To: root, a@example.org\n\nx', ['root', 'a@example.org']],
  ['To: a@example.org\nResent-To: b@example.org\n\nx', ['b@example.org']],
  ['To: undisclosed-recipients:;\n\nx', []],
  ['Subject: x\n\nTo: a@example.org', []],
])('-t takes the recipients of %j', (text, expected) => {
  expect(read(text, { fromHeader: true }).headerRecipients).toEqual(expected);
});

test('a header beyond ASCII is encoded, and the body left', () => {
  const text = Buffer.from(
    'Subject: Größe\nTo: Jörg <j@example.org>\nContent-Type: text/plain; charset=utf-8\n\nÄ\n',
  );
  const { message, headerRecipients } = readMessage(text, { ignoreDots: true, fromHeader: true });
  expect(headerRecipients).toEqual(['j@example.org']);
  expect(message.toString()).toBe(
    'Subject: =?utf-8?b?R3LDtsOfZQ==?=\r\nTo: =?utf-8?b?SsO2cmc=?= <j@example.org>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nÄ\r\n',
  );
});

test('a NUL, and recipients that cannot be read, are told', () => {
  expect(() => read('To: a\n\n\0')).toThrow('has a NUL octet');
  expect(() => read('To: <a@b, c\n\nx', { fromHeader: true })).toThrow('Cannot read the addresses "<a@b, c"');
});

test('a text with long lines is encoded, and lines of usual length are left', () => {
  const long = 'x'.repeat(2000);
  const message = messageOf(`Subject: a\n\n${long}\n`);
  expect(message).toMatch(
    /^Subject: a\r\nMIME-Version: 1\.0\r\nContent-Type: text\/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nx{70,75}=\r\n/,
  );
  expect(Math.max(...message.split('\r\n').map(({ length }) => length))).toBeLessThan(80);
  expect(message.split('\r\n\r\n')[1]?.replaceAll('=\r\n', '').trimEnd()).toBe(long);
  expect(messageOf(`Subject: a\n\n${'x'.repeat(998)}\n`)).not.toContain('quoted-printable');
  expect(messageOf(`Content-Type: image/png\n\n${long}\n`)).not.toContain('quoted-printable');
});
