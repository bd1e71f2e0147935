import { expect, test } from 'vitest';
import { Admission } from './admission.ts';

const admission = (sessions: number, sessionsPerAddress: number): Admission =>
  new Admission({ sessions, sessionsPerAddress, exempt: (address) => address === '127.0.0.1' });

test('enter() lets so many in from one address, and another when one has left', () => {
  const door = admission(100, 2);
  const leave = door.enter('192.0.2.1');
  expect(door.enter('192.0.2.1')).toBeDefined();
  expect(door.enter('192.0.2.1')).toBeUndefined();
  expect(door.enter('192.0.2.2')).toBeDefined();
  leave?.();
  expect(door.enter('192.0.2.1')).toBeDefined();
});

test('enter() lets so many in altogether', () => {
  const door = admission(2, 100);
  door.enter('192.0.2.1');
  const leave = door.enter('127.0.0.1');
  expect(door.enter('192.0.2.3')).toBeUndefined();
  expect(door.enter('127.0.0.1')).toBeUndefined();
  leave?.();
  expect(door.enter('192.0.2.3')).toBeDefined();
});

test('enter() does not count trusted addresses one by one', () => {
  const door = admission(100, 1);
  expect(door.enter('127.0.0.1')).toBeDefined();
  expect(door.enter('127.0.0.1')).toBeDefined();
});

test.each([
  ['2001:db8:0:1::1', '2001:db8:0:1:ffff::2', 'one /64', false],
  ['2001:db8:0:1::1', '2001:db8:0:2::1', 'two /64', true],
  ['2001:db8::1', '2001:db8::2', 'one /64, its zeros left out', false],
  ['2001::1:2:3:4:5', '2001::2:2:3:4:5', 'two /64, zeros left out before the fourth group', true],
  ['::1', '::2', 'one /64', false],
])('enter() takes %s and %s for %s', (first, second, _, both) => {
  const door = admission(100, 1);
  expect(door.enter(first)).toBeDefined();
  expect(door.enter(second) !== undefined).toBe(both);
});

test('enter() forgets an address with its last session', () => {
  const door = admission(1, 1);
  for (let turn = 0; turn < 3; turn++) {
    const leave = door.enter('192.0.2.1');
    expect(leave).toBeDefined();
    leave?.();
  }
});
