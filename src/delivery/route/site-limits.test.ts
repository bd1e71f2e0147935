import { expect, test } from 'vitest';
import { limitsOfSite, startingAt } from './site-limits.ts';

const table = { name: 'example.net', connections: 7, messagesPerHour: 90 };

test('P7: limitsOfSite() follows the configuration, and what is known of others only where that is less', () => {
  const of = (isOurs: boolean, connectionsPerSite: number) =>
    limitsOfSite('example.net', { connectionsPerSite }, { ...table, isOurs });
  expect(of(true, 5)).toEqual({ connections: 7, start: 2, messagesPerHour: 90 });
  expect(of(false, 5).connections).toBe(5);
  expect(of(false, 9).connections).toBe(7);
});

test.each([
  ['10 mx.example.net:25', {}, { connections: 10, start: 2 }],
  ['10 mx.example.net:25', { connectionsPerSite: 5 }, { connections: 5, start: 2 }],
  ['relay 192.0.2.1:25', {}, { connections: 20, start: 20 }],
  ['relay 192.0.2.1:25', { connectionsPerSite: 5 }, { connections: 5, start: 5 }],
  ['pipe /usr/bin/archive', {}, { connections: 20, start: 20 }],
  ['local', { connectionsPerSite: 5 }, { connections: 64, start: 64 }],
])('limitsOfSite() lets %s with %j have %j', (site, config, limits) => {
  expect(limitsOfSite(site, config)).toEqual(limits);
});

test.each([
  [undefined, 2],
  [1, 2],
  [5, 5],
  [50, 10],
])('startingAt() begins with what a site is known to have taken, up to its limit: %s', (known, start) => {
  expect(startingAt({ connections: 10, start: 2 }, known)).toEqual({ connections: 10, start });
});
