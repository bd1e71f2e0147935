import { expect, test } from 'vitest';
import { findForeign, readAliases } from './alias-rows.ts';

const rowsOf = (text: string, domain?: string) =>
  readAliases(text, domain).map(({ address, targets }) => [address, ...targets]);

test('readAliases() says which line it was', () => {
  const text = '# all\ninfo@a.example bob, eve@a.example\n  ann\nroot: bob\nx@a.example,y@a.example\n';
  expect(readAliases(text, 'a.example')).toEqual([
    { line: 2, address: 'info@a.example', targets: ['bob@a.example', 'eve@a.example', 'ann@a.example'] },
    { line: 4, address: 'root@a.example', targets: ['bob@a.example'] },
    { line: 5, address: 'x@a.example', targets: ['y@a.example'] },
  ]);
});

test.each([
  ['a@example.com b@example.com, c@example.org', [['a@example.com', 'b@example.com', 'c@example.org']]],
  ['a@example.com,b@example.com', [['a@example.com', 'b@example.com']]],
  [
    'a@example.com b@example.com,\n  # of old\n\n\tc@example.org\n#d e',
    [['a@example.com', 'b@example.com', 'c@example.org']],
  ],
  ['"two words"@example.com a@example.com', [['"two words"@example.com', 'a@example.com']]],
])('readAliases() reads %j as Postfix does', (text, rows) => {
  expect(rowsOf(text)).toEqual(rows);
});

test.each(['root: alice, bob', 'root:alice,bob', 'root : alice\n bob', '\uFEFFroot:\talice bob'])(
  'readAliases() reads %j as aliases(5) has it',
  (text) => {
    expect(rowsOf(text, 'example.com')).toEqual([
      ['root@example.com', 'alice@example.com', 'bob@example.com'],
    ]);
  },
);

test.each([
  ['p: "|/usr/bin/prog -x, y"', '"|/usr/bin/prog -x, y": an alias leads to no program. '],
  ['p: |/usr/bin/prog', '|/usr/bin/prog: an alias leads to no program. '],
  ['f: a, /var/mail/x', '/var/mail/x: an alias leads to no file. '],
  ['l: :include:/etc/list', ':include:/etc/list: write the addresses of that file in its place'],
  ['n:', 'n@example.com leads nowhere'],
  [
    '@example.com a@example.com',
    'all of example.com is no alias. In the configuration: catchAll = "a@example.com" below',
  ],
  ['@example.com a, b', 'catchAll = "a@example.com" below [[domain]] name = "example.com" (one address'],
  ['@example.com @example.org', 'aliasOf = "example.org" below [[domain]] name = "example.com"'],
  ['a@example.com @example.org', '@example.org is a whole domain'],
])('findForeign() says what there is instead of %j', (text, problem) => {
  expect(readAliases(text, 'example.com').map(findForeign)).toEqual([expect.stringContaining(problem)]);
});

test('findForeign() leaves all else to whoever sets it', () => {
  expect(readAliases('a@example.com b@example.com').map(findForeign)).toEqual([undefined]);
});
