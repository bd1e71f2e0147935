import { expect, test } from 'vitest';
import { checkRows, findMissing, parseTable } from './check-rfcs.ts';

const table = `
# RFCs
| RFC | title | status | files |
|---|---|---|---|
| 5321 | SMTP | partial | \`smtp/session.ts\`, src/smtp/client.ts |
| [RFC 1939](https://www.rfc-editor.org/rfc/rfc1939) | POP3 | yes | pop3/ |
| 9051 | IMAP4rev2 | no | – |
`;

test('parseTable() reads number, status and files of each row', () => {
  expect(parseTable(table)).toEqual([
    { rfc: '5321', status: 'partial', files: ['smtp/session.ts', 'src/smtp/client.ts'], line: 5 },
    { rfc: '1939', status: 'yes', files: ['pop3/'], line: 6 },
    { rfc: '9051', status: 'no', files: [], line: 7 },
  ]);
});

test('checkRows() finds nothing wrong with a true table', () => {
  expect(checkRows(parseTable(table), () => true)).toEqual([]);
});

test('checkRows() takes a path relative to the repository or to src/', () => {
  const files = new Set(['src/smtp/session.ts', 'src/smtp/client.ts', 'src/pop3/']);
  expect(checkRows(parseTable(table), (path) => files.has(path))).toEqual([]);
});

test('checkRows() names a missing file and its row', () => {
  expect(checkRows(parseTable('| 821 | SMTP | yes | smtp/old.ts |'), () => false)).toEqual([
    'docs/rfcs.md:1: RFC 821 names smtp/old.ts, which does not exist: correct the path.',
  ]);
});

test.each([
  ['| 5321 | SMTP | maybe | smtp/x.ts |', /status "maybe"/],
  ['| 5321 | SMTP | yes | |', /no file is named/],
  ['| 5321 | SMTP | no | |\n| 5321 | SMTP | no | |', /has a row already/],
])('checkRows() refuses %j', (markdown, why) => {
  expect(checkRows(parseTable(markdown), () => true)).toEqual([expect.stringMatching(why)]);
});

test('findMissing() reports a citation without a row once, with its first place', () => {
  const files = [
    { path: 'dsn/compose.ts', text: '/** RFC 3464/3461. */\n// RFC 3464 §2\n' },
    { path: 'smtp/session.ts', text: '// RFC 5321 §4.5\n' },
  ];
  expect(findMissing(files, parseTable(table))).toEqual([
    'src/dsn/compose.ts:1: cites RFC 3464, which has no row in docs/rfcs.md: add one.',
    'src/dsn/compose.ts:1: cites RFC 3461, which has no row in docs/rfcs.md: add one.',
  ]);
});
