import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseAddress } from '../mail/address.ts';
import { headerFaults } from './header-faults.ts';
import { readLetter } from './letter.ts';
import { mimeFaults } from './mime-faults.ts';
import { octetFaults } from './octet-faults.ts';

const now = Date.parse('2026-11-28T12:00:00Z');
const to = parseAddress('bob@example.net') ?? expect.unreachable();
const letterOf = (text: string) =>
  readLetter(
    { signers: new Map(), hostname: 'mx.example.com', now },
    { octets: Buffer.from(text, 'latin1'), to },
  );

const date = 'Date: Sat, 28 Nov 2026 11:00:00 +0000\n';
const from = 'From: Alice <alice@example.com>\n';
const rest = 'To: bob@example.net\nSubject: Hi\nMessage-ID: <1@example.com>\n';
const clean = `${date}${from}${rest}`;

const idsOf = (findings: readonly { id: string }[]) => findings.map(({ id }) => id);
const headerIds = async (header: string) => idsOf(headerFaults(await letterOf(`${header}\nbody\n`), now));

test.each([
  ['nothing', clean, []],
  ['a field twice', `${clean}Subject: Again\n`, ['field-repeated']],
  ['no header field', `${clean}no field\n`, ['header-line']],
  ['8-bit characters', `${clean}X-Name: \xe4\n`, ['header-8bit']],
  ['a long line', `${clean}X-Long: ${'x'.repeat(1000)}\n`, ['header-line-length']],
  ['From that cannot be read', `${date}From: nobody\n${rest}`, ['address-unreadable']],
  ['a Reply-To that cannot be read', `${clean}Reply-To: a@b@c\n`, ['address-unreadable']],
  ['two authors', `${date}From: a@example.com, b@example.com\n${rest}`, ['sender-missing']],
  [
    'two authors and a sender',
    `${date}From: a@example.com, b@example.com\nSender: a@example.com\n${rest}`,
    [],
  ],
  ['no date', `${from}${rest}`, ['field-added']],
  ['no date that can be read', `Date: yesterday\n${from}${rest}`, ['date-unreadable']],
  ['a date of next year', `Date: Sun, 28 Nov 2027 11:00:00 +0000\n${from}${rest}`, ['date-off']],
  ['no Message-ID', `${date}${from}To: bob@example.net\nSubject: Hi\n`, ['field-added']],
  [
    'another Message-ID',
    `${date}${from}To: b@example.net\nSubject: Hi\nMessage-ID: 1\n`,
    ['message-id-malformed'],
  ],
  ['nobody to write to', `${date}${from}Subject: Hi\nMessage-ID: <1@a.example>\n`, ['recipients-untold']],
  ['no subject', `${date}${from}To: b@example.net\nMessage-ID: <1@a.example>\n`, ['subject-missing']],
  ['a blind copy', `${clean}Bcc: eve@example.net\n`, ['field-removed']],
])('headerFaults() finds %s', async (_, header, ids) => {
  expect(await headerIds(header)).toEqual(ids);
});

test('headerFaults() tells a few of a thousand faults of a kind, and none at length', async () => {
  const fields = Array.from(
    { length: 1000 },
    (_, number) => `X-${number}-${'x'.repeat(900)}: \xe4${'y'.repeat(1000)}\nTo: a\n`,
  );
  const found = headerFaults(await letterOf(`${clean}${fields.join('')}\nbody\n`), now);
  const counts = Object.values(Object.groupBy(found, ({ id }) => id)).map((each) => each?.length);
  expect(Math.max(...counts.map(Number))).toBe(3);
  expect(Math.max(...found.map(({ fact }) => fact.length))).toBeLessThan(300);
});

test.each([
  ['nothing', 'a\r\nb\r\n', []],
  ['NUL', 'a\0b\r\n', ['octet-nul']],
  ['a long line', `a\r\n${'x'.repeat(999)}\r\n`, ['line-length']],
  ['a line of 998', `${'x'.repeat(998)}\r\n`, []],
])('octetFaults() finds %s', (_, body, ids) => {
  const octets = Buffer.from(body, 'latin1');
  expect(idsOf(octetFaults(octets, octets))).toEqual(ids);
});

const mime = 'MIME-Version: 1.0\r\n';
const part = (fields: string, body = 'x') => `--b\r\n${fields}\r\n${body}\r\n`;
const mixed = (...parts: string[]) =>
  `${mime}Content-Type: multipart/mixed; boundary=b\r\n\r\n${parts.join('')}--b--\r\n`;

test.each([
  ['nothing', mixed(part('Content-Type: text/plain\r\n')), []],
  ['no version', 'Content-Type: text/plain\r\n\r\nx', ['mime-version-missing']],
  ['a type that cannot be read', `${mime}Content-Type: what\r\n\r\nx`, ['content-type-unreadable']],
  ['no boundary', `${mime}Content-Type: multipart/mixed\r\n\r\nx`, ['boundary-missing']],
  [
    'another boundary',
    `${mime}Content-Type: multipart/mixed; boundary=c\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n`,
    ['boundary-not-found'],
  ],
  ['no end', `${mime}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n`, ['multipart-open']],
  [
    'an encoded multipart',
    `${mime}Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64\r\n\r\n${part('')}--b--\r\n`,
    ['multipart-encoded'],
  ],
  ['an unknown encoding', mixed(part('Content-Transfer-Encoding: uuencode\r\n')), ['encoding-unknown']],
  ['8-bit in 7-bit', mixed(part('', '\xe4')), ['encoding-8bit']],
  ['long base64', mixed(part('Content-Transfer-Encoding: base64\r\n', 'A'.repeat(80))), ['base64-line']],
  [
    'no charset',
    mixed(part('Content-Type: text/plain\r\nContent-Transfer-Encoding: 8bit\r\n', '\xe4')),
    ['charset-missing'],
  ],
  [
    'another charset',
    mixed(part('Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n', '\xe4')),
    ['charset-wrong'],
  ],
  [
    'one fault, three times at most',
    mixed(...Array.from({ length: 9 }, () => part('', '\xe4'))),
    Array(3).fill('encoding-8bit'),
  ],
])('mimeFaults() finds %s', (_, message, ids) => {
  expect(idsOf(mimeFaults(Buffer.from(message, 'latin1')))).toEqual(ids);
});

test('mimeFaults() is done with 100,000 parts, and says what it has not seen', () => {
  const many = mixed(...Array.from({ length: 100_000 }, () => part('')));
  expect(idsOf(mimeFaults(Buffer.from(many)))).toEqual(['mime-cut']);
});

test('every error and warning has a remedy, and every rule a source', async () => {
  const bad = await letterOf(`From: nobody\nSubject: a\nSubject: b\nDate: now\nno field\nMessage-ID: 1\n\n`);
  const findings = [
    ...headerFaults(bad, now),
    ...mimeFaults(Buffer.from('Content-Type: multipart/a\r\n\r\n')),
  ];
  expect(findings.length).toBeGreaterThan(5);
  for (const { severity, remedy, rule } of findings) {
    if (severity === 'error' || severity === 'warning') expect(remedy).toMatch(/\.$/);
    if (rule) expect(rule.source).toMatch(/^RFC \d+/);
  }
});

test('docs/PREFLIGHT.md names every finding, and some test asserts it', () => {
  const docs = readFileSync('docs/PREFLIGHT.md', 'utf8');
  const sources = readdirSync('src/preflight').filter(
    (name) => name.endsWith('.ts') && !name.includes('.test.'),
  );
  const ids = sources.flatMap((name) =>
    [...readFileSync(`src/preflight/${name}`, 'utf8').matchAll(/\bid: '([a-z0-9-]+)'/g)].map(([, id]) => id),
  );
  expect(ids.length).toBeGreaterThan(40);
  expect(ids.filter((id) => !docs.includes(`\`${id}\``))).toEqual([]);
  const tests = ['src/preflight', 'src/scenarios']
    .flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`))
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  expect(ids.filter((id) => !new RegExp(`['( ]${id}[' ]`).test(tests))).toEqual([]);
});
