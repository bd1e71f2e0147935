import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { accountRows } from './account-csv.ts';
import { maxProblems, readAccountRows } from './account-rows.ts';
import { csvRows } from './csv.ts';

const fieldsOf = (text: string) => Array.from(csvRows(text), ({ fields }) => fields);

describe('csvRows()', () => {
  test.each([
    [
      'LF and CRLF line ends',
      'a,b\r\nc,d\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['a last line without an end', 'a,b', [['a', 'b']]],
    ['commas, quotes and line ends in quotes', '"a,1","say ""hi""\r\nyou"\n', [['a,1', 'say "hi"\r\nyou']]],
    [
      'empty fields',
      ',\n""\n,"",\n',
      [
        ['', ''],
        ['', '', ''],
      ],
    ],
    [
      'a byte order mark and blank lines',
      '\uFEFFa,b\n\n  \nc,d\n\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
  ])('csvRows() reads %s', (_, text, expected) => {
    expect(fieldsOf(text)).toEqual(expected);
  });

  test('csvRows() counts lines past quoted line ends and malformed lines', () => {
    const rows = csvRows('"a\nb",1\nbad"quote,2\n"x"y,3\nc,4\n"open,5\n');
    expect(Array.from(rows, ({ line, fields }) => [line, fields?.[1]])).toEqual([
      [1, '1'],
      [3, undefined],
      [4, undefined],
      [5, '4'],
      [6, undefined],
    ]);
  });

  test('csvRows() passes over a million blank lines without losing count', () => {
    expect([...csvRows(`${'\n'.repeat(1_000_000)}a,b`)]).toEqual([{ line: 1_000_001, fields: ['a', 'b'] }]);
  });

  test('csvRows() reads a field of any length', () => {
    const field = '""'.repeat(5_000_000);
    expect(fieldsOf(`"${field}",b`)).toEqual([[field.slice(5_000_000), 'b']]);
    expect(fieldsOf(`"${field}`)).toEqual([undefined]);
  });

  test('csvRows() reads a hundred fields of a line of a million', () => {
    const rows = [...csvRows(`${','.repeat(1_000_000)}\na,b`)];
    expect(rows.map(({ line, fields }) => [line, fields?.length])).toEqual([
      [1, 100],
      [2, 2],
    ]);
  });

  test('csvRows() reads back whatever is quoted', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.string(), { minLength: 2 })), (rows) => {
        const text = rows
          .map((row) => `${row.map((field) => `"${field.replaceAll('"', '""')}"`).join()}\r\n`)
          .join('');
        expect(fieldsOf(text)).toEqual(rows);
      }),
      { numRuns: 100 },
    );
  });
});

const readAccounts = (text: string, domains: readonly { name: string }[]) =>
  readAccountRows(accountRows(text), { domains });

describe('readAccountRows()', () => {
  const domains = [{ name: 'example.com' }];

  test('readAccountRows() takes passwords and hashes, with or without titles', () => {
    const hash = '$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHQ$aGFzaA';
    const lines = `a@example.com,"pass,word"\nB@Example.com,${hash}\n`;
    const accounts = [
      { address: 'a@example.com', password: 'pass,word' },
      { address: 'b@example.com', hash },
    ];
    expect(readAccounts(lines, domains)).toEqual({ accounts, unusable: [], problems: [] });
    expect(readAccounts(`Address,Password\r\n${lines}`, domains)).toEqual({
      accounts,
      unusable: [],
      problems: [],
    });
  });

  test('readAccountRows() tells every bad row by its line', () => {
    const { problems } = readAccounts(
      'address,password\na@example.com,x\nb@example.org,x\nnobody,x\nc@example.com\nA@example.com,y\nd@example.com,x,y\n"e"@example.com,x\n',
      domains,
    );
    expect(problems).toEqual([
      expect.stringMatching(/^line 3: b@example\.org is in no domain of this server/),
      expect.stringMatching(/^line 4: "nobody" is not a mail address/),
      expect.stringMatching(/^line 5: no password/),
      expect.stringMatching(/^line 6: a@example\.com is in line 2 already/),
      expect.stringMatching(/^line 7: more than two columns/),
      expect.stringMatching(/^line 8: a quote is out of place/),
    ]);
  });

  test('readAccountRows() gives up on a file that is none after maxProblems', () => {
    for (const line of ['a\n', '"x"y\n']) {
      const { problems } = readAccounts(line.repeat(100_000), domains);
      expect(problems).toHaveLength(maxProblems + 1);
      expect(problems.at(-1)).toMatch(/^line 100: so many problems/);
    }
  });
});
