/** SMTP as clients speak it (RFC 5321 and the extensions that we offer), with the mistakes and the tricks that are tried. */

import type { Random } from '../random.ts';
import { domain, path } from './addresses.ts';
import { message } from './messages.ts';

const parameters = [
  'SIZE=100',
  'SIZE=999999999',
  'SIZE=x',
  'BODY=8BITMIME',
  'BODY=7BIT',
  'BODY=x',
  'SMTPUTF8',
  'AUTH=<>',
  'RET=HDRS',
  'NOTIFY=NEVER',
  '=',
  'A=B=C',
];
const credentials = ['\0bob\0secret', 'bob\0bob\0secret', '\0\0', 'bob', '', '\0bob\0wrong', '\xff'];

const base64 = (random: Random): string => Buffer.from(random.pick(credentials), 'latin1').toString('base64');

/** Ends of data that are none, but for the first two (CVE-2023-51764). */
const dataEnds = [
  '\r\n.\r\n',
  '\r\n.\r\n',
  '\n.\n',
  '\n.\r\n',
  '\r.\r',
  '\r\n.\n',
  '\r\n.\r',
  '\r\n..\r\n',
  '\r\n.\0\r\n',
  '.\r\n',
  '\r\n. \r\n',
];

function parameterList(random: Random): string {
  return random.some(3, () => ` ${random.pick(parameters)}`).join('');
}

function bdat(random: Random): string {
  const content = message(random);
  const told = random.oneIn(6) ? random.below(2000) : Buffer.byteLength(content, 'latin1');
  return `BDAT ${told}${random.pick([' LAST', ' LAST', '', ' last', ' LAST x'])}\r\n${content}`;
}

const commands: readonly ((random: Random) => string)[] = [
  (random) => `${random.pick(['EHLO', 'HELO', 'ehlo'])} ${domain(random)}`,
  (random) => `MAIL FROM:<${path(random)}>${parameterList(random)}`,
  (random) => `RCPT TO:<${path(random)}>${random.oneIn(8) ? parameterList(random) : ''}`,
  (random) => `RCPT TO: <${path(random)}>`,
  (random) =>
    random.pick([
      'NOOP',
      'RSET',
      'QUIT',
      'VRFY bob',
      'HELP',
      'EXPN x',
      'ETRN x',
      'TURN',
      'STARTTLS',
      'STARTTLS x',
      '',
      'GET / HTTP/1.1',
    ]),
  (random) => `AUTH ${random.pick(['PLAIN', 'LOGIN', 'plain', 'CRAM-MD5'])} ${base64(random)}`,
  (random) =>
    `AUTH ${random.pick(['PLAIN', 'LOGIN'])}${random.pick(['', '\x1e'])}\r\n${base64(random)}\r\n${base64(random)}`,
  (random) => `AUTH LOGIN\r\n${random.pick(['*', '='])}`,
];

/** A session that comes somewhere, so that what follows is read in the state where it means something. */
function transaction(random: Random): string {
  const recipients = random.some(4, () => `RCPT TO:<${path(random)}>\r\n`).join('');
  const opening = `MAIL FROM:<${path(random)}>${parameterList(random)}\r\n${recipients}`;
  if (random.oneIn(4)) return opening + bdat(random) + (random.oneIn(2) ? bdat(random) : '');
  return `${opening}DATA\r\n${random.pick(['', '\x1e'])}${message(random)}${random.pick(dataEnds)}`;
}

function line(random: Random): string {
  return (
    random.pick(commands)(random) +
    random.pick(['\r\n', '\r\n', '\r\n', '\n', '\r', '']) +
    (random.oneIn(5) ? '\x1e' : '')
  );
}

export function smtpSession(random: Random): Buffer {
  const greeting = random.oneIn(8) ? '' : 'EHLO client.example\r\n';
  const start = random.oneIn(4) ? `${greeting}STARTTLS\r\n\x1e${greeting}` : greeting;
  const parts = random.some(8, () => (random.oneIn(2) ? transaction(random) : line(random)));
  return Buffer.from(start + parts.join(''), 'latin1');
}

const replyTexts = [
  'OK',
  '2.0.0 OK',
  '5.1.1 no such user',
  '4.2.0 later',
  'mx.example PIPELINING',
  'SIZE 1000',
  'SIZE',
  'STARTTLS',
  'PIPELINING',
  'SMTPUTF8',
  '8BITMIME',
  'SIZE 99999999999999999999',
  '\x1b[2J',
  'ü',
  '',
  '5.7.1 4.2.1 which',
  'AUTH PLAIN',
  ' '.repeat(50),
  'x'.repeat(600),
]; // prettier-ignore

const codes = [220, 221, 250, 250, 250, 250, 354, 354, 421, 450, 451, 452, 500, 550, 552, 554, 199, 600, 25];

function serverReply(random: Random, code = random.pick(codes)): string {
  const lines = random.some(4, () => `${code}-${random.pick(replyTexts)}\r\n`);
  return `${lines.join('')}${code}${random.pick([' ', ' ', ' ', '', '-'])}${random.pick(replyTexts)}${random.pick(['\r\n', '\r\n', '\n', '\r'])}`;
}

/** What a receiver says in the course of a session, mostly in the right order. */
export function smtpReplies(random: Random): Buffer {
  const expected = [
    220,
    250,
    ...random.pick([[], [220, 250]]),
    250,
    250,
    250,
    354,
    250,
    250,
    250,
    250,
    354,
    250,
    221,
  ];
  const replies = expected.map((code) => serverReply(random, random.oneIn(6) ? random.pick(codes) : code));
  return Buffer.from(replies.join(random.pick(['\x1e', '\x1e', ''])), 'latin1');
}
