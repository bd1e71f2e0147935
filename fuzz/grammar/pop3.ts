/** POP3 as clients speak it (RFC 1939, 2449, 2595, 5034), in and out of order. */

import type { Random } from '../random.ts';

const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');

const number = (random: Random): string =>
  random.pick(['1', '2', '3', '0', '4', '-1', '999999999', '9999999999', 'x', '']);

const commands: readonly ((random: Random) => string)[] = [
  () => 'USER bob',
  (random) => `PASS ${random.pick(['secret', 'wrong', ' secret', 'ü', ''])}`,
  () => 'USER goodbye\r\nPASS x',
  (random) =>
    random.pick(['STAT', 'NOOP', 'RSET', 'CAPA', 'QUIT', 'STLS', 'stat', 'STAT 1', '', 'XTND', 'APOP bob x']),
  (random) => `${random.pick(['LIST', 'UIDL', 'RETR', 'DELE', 'list'])} ${number(random)}`,
  (random) => `TOP ${number(random)} ${number(random)}`,
  (random) =>
    `AUTH ${random.pick(['PLAIN', 'LOGIN', 'GSSAPI'])} ${base64(random.pick(['\0bob\0secret', '\0bob', '\xff']))}`,
  (random) =>
    `AUTH PLAIN\r\n${random.pick(['\x1e', ''])}${random.pick([base64('\0bob\0secret'), '*', '=', '!'])}`,
];

export function pop3Session(random: Random): Buffer {
  const login = random.pick([
    '',
    'USER bob\r\nPASS secret\r\n',
    'USER bob\r\nPASS secret\r\n',
    'STLS\r\n\x1eUSER bob\r\nPASS secret\r\n',
  ]);
  const lines = random.some(
    20,
    () => random.pick(commands)(random) + random.pick(['\r\n', '\r\n', '\r\n', '\n', '\r', '\r\n\x1e']),
  );
  return Buffer.from(login + lines.join(''), 'latin1');
}
