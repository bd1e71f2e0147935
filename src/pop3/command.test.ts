import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCommand } from './command.ts';

const parse = (line: string) => parseCommand(Buffer.from(line));

describe('parseCommand()', () => {
  test.each([
    ['quit', { keyword: 'QUIT' }],
    ['STAT ', { keyword: 'STAT' }],
    ['user  bob@example.com ', { keyword: 'USER', user: 'bob@example.com' }],
    ['USER jürgen', { keyword: 'USER', user: 'jürgen' }],
    ['PASS  two words ', { keyword: 'PASS', password: ' two words ' }],
    ['List', { keyword: 'LIST', number: undefined }],
    ['LIST 2', { keyword: 'LIST', number: 2 }],
    ['UIDL 007', { keyword: 'UIDL', number: 7 }],
    ['RETR 1', { keyword: 'RETR', number: 1 }],
    ['DELE 999999999', { keyword: 'DELE', number: 999_999_999 }],
    ['TOP 1 0', { keyword: 'TOP', number: 1, bodyLines: 0 }],
    ['AUTH plain', { keyword: 'AUTH', mechanism: 'PLAIN', initialResponse: undefined }],
    ['AUTH PLAIN =', { keyword: 'AUTH', mechanism: 'PLAIN', initialResponse: '=' }],
  ])('%s', (line, command) => {
    expect(parse(line)).toEqual(command);
  });

  test.each([
    '',
    ' ',
    'FOO',
    'QUIT now',
    'USER',
    'PASS',
    'PASS ',
    'LIST x',
    'RETR',
    'RETR 1 2',
    'RETR 1.0',
    'RETR 1e3',
    'RETR +1',
    'RETR ١',
    'DELE 1000000000',
    'TOP',
    'TOP 1',
    'TOP 1 2 3',
    'AUTH',
    'AUTH PLAIN a b',
    'NOOP\t',
    'USER a\0b',
    'PASS a\x7fb',
    '__proto__',
    'constructor 1',
  ])('refuses %j', (line) => {
    expect(parse(line)).toEqual({ keyword: 'invalid', text: expect.any(String) });
  });

  test('refuses broken UTF-8', () => {
    expect(parseCommand(Buffer.from('USER b\xf6b', 'latin1'))).toMatchObject({ keyword: 'invalid' });
  });

  test('bears whatever octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(parseCommand(Buffer.from(bytes)).keyword).toMatch(/^([A-Z]+|invalid)$/);
      }),
    );
  });
});
