import { expect, test } from 'vitest';
import { limitsOfSite } from './site-limits.ts';

test.each([
  ['10 mx.example.net:25', {}, { connections: 10, start: 2 }],
  ['10 mx.example.net:25', { connectionsPerSite: 5 }, { connections: 5, start: 2 }],
  ['relay 192.0.2.1:25', {}, { connections: 20, start: 20 }],
  ['relay 192.0.2.1:25', { connectionsPerSite: 5 }, { connections: 5, start: 5 }],
  ['local', { connectionsPerSite: 5 }, { connections: 64, start: 64 }],
])('limitsOfSite() lets %s with %j have %j', (site, config, limits) => {
  expect(limitsOfSite(site, config)).toEqual(limits);
});
