/** Messages as the seed of trouble: header fields of all kinds, odd folds, bodies with dots and line ends of all sorts. */

import type { Random } from '../random.ts';
import { address, mailboxList } from './addresses.ts';

const values: readonly ((random: Random) => string)[] = [
  (random) => mailboxList(random),
  () => 'Fri, 25 Jul 2025 10:00:00 +0000',
  (random) => `<${address(random)}>`,
  () => 'multipart/report; report-type=delivery-status; boundary="b"',
  () => 'text/plain; charset="utf-8"; name*0*=x\'\'%41; name*1=b',
  () => 'mx.example.org; spf=pass smtp.mailfrom=a@b.example; dkim=fail (bad) header.d=x',
  () => '=?utf-8?B?w7w=?= =?iso-8859-1?q?=FC?=',
  (random) =>
    'v=1; a=rsa-sha256; c=relaxed/simple; d=example.org; s=sel; h=from:to; l=10; bh=AAAA; b='.concat(
      random.pick(['', 'AAAA', '==']),
    ),
  (random) => random.octets(random.length(40)).toString('latin1'),
  () => '',
];

const names = [
  'From',
  'To',
  'Cc',
  'Bcc',
  'Resent-Bcc',
  'Sender',
  'Subject',
  'Date',
  'Message-ID',
  'Received',
  'Return-Path',
  'Delivered-To',
  'Content-Type',
  'MIME-Version',
  'DKIM-Signature',
  'Authentication-Results',
  'X-Long',
  'from',
  'FROM ',
  ':',
  '',
  'no colon',
]; // prettier-ignore

const lineEnds = ['\r\n', '\r\n', '\r\n', '\n', '\r', '\r\n '];

export function headerField(random: Random): string {
  const value = random.pick(values)(random);
  const folded = random.oneIn(3)
    ? value.replaceAll(' ', random.pick(['\r\n ', '\r\n\t', '\n ', '  ']))
    : value;
  return `${random.pick(names)}:${random.pick([' ', '', '\t'])}${folded}${random.pick(lineEnds)}`;
}

export const header = (random: Random): string => random.some(12, () => headerField(random)).join('');

const bodyLines = [
  '',
  '.',
  '..',
  '.a',
  'text',
  'From me',
  ' ',
  '\t ',
  'ü',
  '\0',
  'x'.repeat(1000),
  '--b',
  '--b--',
  '\x80\xff',
];

export function body(random: Random): string {
  return random.some(20, () => random.pick(bodyLines) + random.pick(lineEnds)).join('');
}

export const message = (random: Random): string =>
  `${header(random)}${random.pick(['\r\n', '\r\n', '\n', ''])}${body(random)}`;
