import { expect, test } from 'vitest';
import { Admission, type Entry } from './admission.ts';

const admission = (sessions: number, sessionsPerAddress: number): Admission =>
  new Admission(() => ({ sessions, sessionsPerAddress, now: () => 0 }));

const isIn = (entry: Entry): boolean => entry.reached === undefined;
const leave = (entry: Entry): void => (entry.reached === undefined ? entry.leave() : undefined);

test('enter() lets so many in from one address, and another when one has left', () => {
  const door = admission(100, 2);
  const first = door.enter('192.0.2.1');
  expect(isIn(door.enter('192.0.2.1'))).toBe(true);
  expect(door.enter('192.0.2.1')).toEqual({ reached: 'sessions of the client' });
  expect(isIn(door.enter('192.0.2.2'))).toBe(true);
  leave(first);
  expect(isIn(door.enter('192.0.2.1'))).toBe(true);
});

test('enter() lets so many in altogether', () => {
  const door = admission(2, 100);
  door.enter('192.0.2.1');
  const second = door.enter(undefined);
  expect(door.enter('192.0.2.3')).toEqual({ reached: 'sessions' });
  expect(door.enter(undefined)).toEqual({ reached: 'sessions' });
  leave(second);
  expect(isIn(door.enter('192.0.2.3'))).toBe(true);
});

test('enter() counts nothing but the whole of who has no address', () => {
  const door = admission(100, 1);
  expect(isIn(door.enter(undefined))).toBe(true);
  expect(isIn(door.enter(undefined))).toBe(true);
});

test.each([
  ['2001:db8:0:1::1', '2001:db8:0:1:ffff::2', 'one /64', false],
  ['2001:db8:0:1::1', '2001:db8:0:2::1', 'two /64', true],
  ['2001:db8::1', '2001:db8::2', 'one /64, its zeros left out', false],
  ['2001::1:2:3:4:5', '2001::2:2:3:4:5', 'two /64, zeros left out before the fourth group', true],
  ['::1', '::2', 'one /64', false],
])('enter() takes %s and %s for %s', (first, second, _, both) => {
  const door = admission(100, 1);
  expect(isIn(door.enter(first))).toBe(true);
  expect(isIn(door.enter(second))).toBe(both);
});

test('enter() lets so many times as much in from a network', () => {
  const door = new Admission(() => ({
    sessions: 100,
    sessionsPerAddress: 2,
    networkFactor: 2,
    now: () => 0,
  }));
  const first = door.enter('192.0.2.1');
  for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) expect(isIn(door.enter(address))).toBe(true);
  expect(door.enter('192.0.2.4')).toEqual({ reached: 'sessions of the network' });
  expect(isIn(door.enter('192.0.3.1'))).toBe(true);
  leave(first);
  expect(isIn(door.enter('192.0.2.4'))).toBe(true);
});

test('enter() lets so many in within a minute, and again when they come less often', () => {
  let now = 0;
  const limits = { sessions: 100, sessionsPerAddress: 100, connectionsPerMinute: 6, networkFactor: 2 };
  const door = new Admission(() => ({ ...limits, now: () => now }));
  const come = (address: string) => {
    const entry = door.enter(address);
    leave(entry);
    return entry.reached ?? 'in';
  };
  for (let count = 0; count < 6; count++) expect(come('192.0.2.1')).toBe('in');
  expect(come('192.0.2.1')).toBe('rate of the client');
  for (let count = 0; count < 6; count++) expect(come('192.0.2.2')).toBe('in');
  expect(come('192.0.2.3')).toBe('rate of the network');
  expect(come('192.0.3.1')).toBe('in');
  now += 60_000;
  expect(come('192.0.2.1')).toBe('in');
});

test('enter() forgets an address with its last session', () => {
  const door = admission(1, 1);
  for (let turn = 0; turn < 3; turn++) {
    const entry = door.enter('192.0.2.1');
    expect(isIn(entry)).toBe(true);
    leave(entry);
  }
});
