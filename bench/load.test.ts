import { expect, test } from 'vitest';
import { type Load, shareOut, sourceArguments, spreadScript } from './load.ts';

const load: Load = { messages: 10, sizeBytes: 1024, sessions: 2, connections: 'reused' };

test('sourceArguments() keeps connections with -d, and opens one for each message without', () => {
  expect(sourceArguments(2525, load).slice(0, 7)).toEqual(['-d', '-s', '2', '-m', '10', '-l', '1024']);
  expect(sourceArguments(2525, { ...load, connections: 'each' })).not.toContain('-d');
});

test('sourceArguments() opens no more sessions than there are messages', () => {
  expect(sourceArguments(2525, { ...load, messages: 1 }).slice(1, 3)).toEqual(['-s', '1']);
});

test('shareOut() gives every message to somebody, as equally as it goes', () => {
  const shares = shareOut(10, ['a', 'b', 'c']).map(({ messages }) => messages);
  expect(shares.toSorted()).toEqual([3, 3, 4]);
});

test('spreadScript() runs as many lanes as sessions, and fails if one of them does', () => {
  const script = spreadScript(2525, load, ['a@x.example', 'b@x.example', 'c@x.example']);
  const lanes = script.split('\n').filter((line) => line.startsWith('('));
  expect(lanes.map((lane) => [...lane.matchAll(/-t (\S+)/g)].map(([, to]) => to))).toEqual([
    ['a@x.example', 'c@x.example'],
    ['b@x.example'],
  ]);
  expect(script).toContain('wait $lane || exit 1');
});
