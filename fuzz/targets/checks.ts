/** What the checks of strangers' mail read: names of attachments, archives, patterns of senders. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { attachmentsOf } from '../../src/mail/attachments.ts';
import { maxDirectories } from '../../src/mail/zip-directory.ts';
import { maxEntries, namesInZip } from '../../src/mail/zip-names.ts';
import { findPattern, parseSenderPattern } from '../../src/policy/sender-pattern.ts';
import { octetsOf } from '../corpus.ts';
import { message } from '../grammar/messages.ts';
import { between, demand, type Target } from './target.ts';

const part = (fields: string) =>
  `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n${fields}\r\n\r\nx\r\n--b--\r\n`;

const attachments: Target = {
  name: 'attachments',
  seeds: () =>
    octetsOf([
      part('Content-Disposition: attachment; filename="a.exe"'),
      part("Content-Disposition: attachment; filename*0*=utf-8''a%2E; filename*1=exe"),
      part('Content-Type: application/zip; name==?utf-8?B?YS56aXA=?=\r\nContent-Transfer-Encoding: base64'),
      part(
        `Content-Type: message/rfc822\r\n\r\n${part('Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64')}`,
      ),
      part(
        'Content-Type: multipart/mixed; boundary=a; boundary=b\r\nContent-Type: text/plain\r\n\r\n--b\r\n--a',
      ),
      part('Content-Type: text/plain\r\n\r\nbegin 644 a.exe\r\n#0V%T\r\n`\r\nend'),
    ]),
  generate: (random) => Buffer.from(message(random), 'latin1'),
  read: (input) => attachmentsOf(input),
  check(input) {
    const { names, extensions, types } = attachmentsOf(input);
    demand(names.length <= 50 && names.every((name) => name.length <= 200), 'names are not bounded');
    demand(extensions.length <= 200 && types.length <= 200, 'kinds are not bounded');
    demand(new Set(extensions).size === extensions.length, 'an ending is there twice');
    demand(
      extensions.every((each) => each === each.toLowerCase() && each !== ''),
      'an ending is none',
    );
  },
  places: [
    between(`Content-Disposition: attachment; filename="`, '"\r\n\r\n'),
    between('Content-Disposition: attachment; filename=', '\r\n\r\n'),
    between("Content-Disposition: attachment; filename*0*=utf-8''", '\r\n\r\n'),
    between('Content-Disposition: attachment', '\r\n\r\n'),
    between('Content-Type: message/rfc822\r\n\r\n', ''),
    between('Subject: a\r\n\r\nbegin 644 ', '\r\n'),
  ],
};

const archive = (): Buffer =>
  readFileSync(join(import.meta.dirname, '..', '..', 'testdata', 'attachments', 'invoice.zip'));

const zip: Target = {
  name: 'zip',
  seeds: () => [archive()],
  read: (input) => namesInZip(input),
  check(input) {
    const { names } = namesInZip(input);
    demand(names.length <= maxEntries, 'names are not bounded');
    // Every directory, and the files themselves, may use the same octets.
    const longest = (maxDirectories + 1) * input.length;
    demand(names.join('').length <= longest, 'there is more in the names than in the archive');
  },
};

const patterns: Target = {
  name: 'sender-pattern',
  seeds: () =>
    octetsOf(['*a*b*@*.example.org\na@b.example', 'user*@example.com', '*.example', '"a b"@[192.0.2.1]']),
  read(input) {
    const [text = '', address = text] = input.toString('utf8').split('\n');
    return findPattern([parseSenderPattern(text) ?? '*@*'], address);
  },
  check(input) {
    const pattern = parseSenderPattern(input.toString('utf8'));
    if (pattern === undefined) return;
    demand(parseSenderPattern(pattern) === pattern, 'a pattern reads otherwise once it is written');
    demand(!/[\n\r]/.test(pattern), 'a pattern has a line end');
  },
  places: [between('*@*\na', '@example.org'), between('a*b@example.org\na', '@example.org')],
};

export const checks: readonly Target[] = [attachments, zip, patterns];
