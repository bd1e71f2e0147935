/** Mail addresses, domains and lists of them: right ones, rare ones and ones that are just not right. */

import type { Random } from '../random.ts';

const atoms = [
  'a',
  'bob',
  'alice+tag',
  'postmaster',
  'Großvater',
  "o'neil",
  '=?utf-8?q?x?=',
  'x'.repeat(64),
  '%s',
  'ünïcode',
  '用户',
];
const quoted = ['""', '"a b"', '"a\\"b"', '"@"', '"."', '"a\\\\"', '"<x@y>"', '"\\\r"'];
const domains = [
  'example.org',
  'EXAMPLE.com',
  'bücher.example',
  'xn--bcher-kva.example',
  '[192.0.2.1]',
  '[IPv6:2001:db8::1]',
  '[IPv6:::1]',
  '[x]',
  'localhost',
  'a.b.c.d.example',
  `${'l'.repeat(63)}.example`,
  `${'l'.repeat(64)}.example`,
  '1.2.3.4',
  '-a.example',
  'a..b',
  'example.org.',
  '☕.example',
]; // prettier-ignore

export function localPart(random: Random): string {
  const atom = () => random.pick(atoms);
  if (random.oneIn(6)) return random.pick(quoted);
  return random.oneIn(4) ? `${atom()}.${atom()}` : atom();
}

export const domain = (random: Random): string => random.pick(domains);

export const address = (random: Random): string => `${localPart(random)}@${domain(random)}`;

/** What stands between the angle brackets of MAIL and RCPT. */
export function path(random: Random): string {
  const route = random.oneIn(12) ? `@${domain(random)},@${domain(random)}:` : '';
  return route + random.pick([() => '', () => 'postmaster', ...Array(8).fill(() => address(random))])();
}

const phrases = [
  'Bob',
  '"Bob, B."',
  'Bob B.',
  '=?utf-8?q?B=C3=BC?=',
  'a@b.example',
  '(comment (nested))',
  '"',
  'B\r\n ob',
];

/** The value of a From or To field. */
export function mailboxList(random: Random): string {
  const mailbox = () => (random.oneIn(2) ? address(random) : `${random.pick(phrases)} <${address(random)}>`);
  const group = () => `${random.pick(phrases)}:${random.some(3, mailbox).join(', ')};`;
  return random
    .some(6, () => (random.oneIn(5) ? group() : mailbox()))
    .join(random.pick([', ', ',', ',, ', ';', ' ']));
}
