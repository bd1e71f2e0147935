import { expect, test } from 'vitest';
import { settingsFor } from './settings.ts';

test('settingsFor() fills in what the command line leaves open', () => {
  expect(settingsFor({ json: false, peers: 'tuned' }, { messages: 7 })).toEqual({
    messages: 7,
    sizeBytes: 1024,
    sessions: 20,
    rounds: 5,
    budgetMs: 120_000,
  });
});

test('settingsFor() prefers the command line', () => {
  const given = {
    json: true,
    peers: 'all',
    messages: 1,
    sizeBytes: 2,
    sessions: 3,
    rounds: 4,
    seconds: 5,
  } as const;
  expect(settingsFor(given, { messages: 7 })).toEqual({
    messages: 1,
    sizeBytes: 2,
    sessions: 3,
    rounds: 4,
    budgetMs: 5_000,
  });
});
