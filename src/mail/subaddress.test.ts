import { describe, expect, test } from 'vitest';
import { isTagged, usersOf } from './subaddress.ts';

describe('usersOf()', () => {
  test.each([
    ['bob+tag', '+', ['bob']],
    ['bob+', '+', ['bob']],
    ['a-b-c', '-', ['a-b', 'a']],
    ['bob', '+', []],
    ['+bob', '+', []],
    ['bob+tag', '', []],
    ['', '+', []],
  ])('%j by %j: %j', (localPart, separator, users) => {
    expect(usersOf(localPart, separator)).toEqual(users);
  });

  test('reads a chain of separators a few times only, the shortest users among them', () => {
    const users = usersOf(`bob${'+'.repeat(60)}`, '+');
    expect(users).toHaveLength(5);
    expect(users.at(-1)).toBe('bob');
  });
});

describe('isTagged()', () => {
  test.each([
    ['bob+tag', 'bob', true],
    ['Bob-Tag', 'bob', true],
    ['bob', 'bob', false],
    ['bobby', 'bob', false],
    ['ann+bob', 'bob', false],
  ])('%s of %s: %s', (localPart, user, expected) => {
    expect(isTagged(localPart, user)).toBe(expected);
  });
});
