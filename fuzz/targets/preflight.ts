/** A message that is looked at before it is sent, whatever it is: each finding is a fact in words. */

import type { Finding } from '../../src/preflight/finding.ts';
import { headerFaults } from '../../src/preflight/header-faults.ts';
import { readLetter } from '../../src/preflight/letter.ts';
import { mimeFaults } from '../../src/preflight/mime-faults.ts';
import { octetFaults } from '../../src/preflight/octet-faults.ts';
import { message } from '../grammar/messages.ts';
import { between, demand, type Target } from './target.ts';

const now = Date.parse('2026-11-28T12:00:00Z');
const parts = { signers: new Map(), hostname: 'mx.example.com', now };
const to = { localPart: 'b', domain: 'example.net' };

async function read(input: Buffer): Promise<Finding[]> {
  const letter = await readLetter(parts, { octets: input, to });
  const { header, octets } = letter.draft;
  return [
    ...octetFaults(input, octets.subarray(header.bodyOffset)),
    ...headerFaults(letter, now),
    ...mimeFaults(octets),
  ];
}

async function check(input: Buffer): Promise<void> {
  const findings = await read(input);
  demand(findings.length <= 100, 'a list of findings without end');
  for (const { fact } of findings)
    demand(fact !== '' && fact.length <= 1200, 'a fact that is told at length');
}

const right = 'From: a@example.com\r\nTo: b@example.net\r\nSubject: Hi\r\n';
const twoParts = `${right}MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+\r\n--b--\r\n`;

export const preflightLetter: Target = {
  name: 'preflight',
  seeds: () =>
    [
      `${right}\r\nHello\r\n`,
      twoParts,
      `${right}Date: Sat, 28 Nov 2026 12:00:00 +0000\r\nList-Unsubscribe: <https://example.com/u>\r\n\r\n`,
    ].map((text) => Buffer.from(text)),
  generate: (random) => Buffer.from(message(random), 'latin1'),
  read,
  check,
  longestRunBytes: 2 ** 18,
  places: [
    between('From: ', '\r\n\r\nx'),
    between('Subject: ', '\r\n\r\nx'),
    between('Date: ', '\r\n\r\nx'),
    between('Message-ID: ', '\r\n\r\nx'),
    between('Content-Type: text/plain; charset=', '\r\n\r\n\xfc'),
    between('Content-Transfer-Encoding: base64\r\n\r\n'),
    between('Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n'),
  ],
};
