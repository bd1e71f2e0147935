/** The conversion of 8-bit mail: whatever the structure, the result is ASCII and needs no further one, or there is a reason. */

import { isAscii } from 'node:buffer';
import { withCrlf } from '../../src/mail/line-ends.ts';
import { NotConvertibleError, toSevenBit } from '../../src/mail/seven-bit.ts';
import { message } from '../grammar/messages.ts';
import { between, demand, type Target } from './target.ts';

function convert(input: Buffer): Buffer | undefined {
  try {
    return toSevenBit(withCrlf(input));
  } catch (error) {
    if (error instanceof NotConvertibleError) return undefined;
    throw error;
  }
}

function check(input: Buffer): void {
  const converted = convert(input);
  if (converted === undefined) return;
  demand(isAscii(converted), 'the result is not 7-bit');
  demand(toSevenBit(converted) === converted, 'the result is converted again');
}

const nested = [
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary="a b"',
  'Content-Transfer-Encoding: 8bit',
  '',
  'pr\xe9amble',
  '--a b',
  'Content-Type: message/rfc822',
  '',
  'Subject: x',
  '',
  'gr\xfc\xdfe',
  '--a b',
  'Content-Type: multipart/digest; boundary=b',
  '',
  '--b',
  '',
  'X: y',
  '',
  '\xfc',
  '--b--',
  '--a b--',
].join('\r\n');

export const sevenBit: Target = {
  name: 'seven-bit',
  seeds: () => [nested, 'Subject: x\r\n\r\n\xfc=\x7f \r\n'].map((text) => Buffer.from(text, 'latin1')),
  generate: (random) => Buffer.from(message(random), 'latin1'),
  read: convert,
  check,
  places: [
    between('\r\n\xfc'),
    between('Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n', '\xfc\r\n--b--'),
    between('Content-Type: ', '\r\n\r\n\xfc'),
  ],
};
