import { expect, test } from 'vitest';
import { factWords } from './words.ts';

const asked = { name: 'm1', durationMs: 1 };

test('a milter that wants a message in quarantine does object', () => {
  const fact = { ...asked, kind: 'milter', verdict: 'accept', stage: 'end of message' } as const;
  expect(factWords(fact)).toBe('m1: nothing to object at end of message');
  expect(factWords({ ...fact, quarantine: 'looks odd' })).toBe(
    'm1: at end of message, wants it in quarantine: looks odd',
  );
});

test('a score is of what rspamd refuses at, where it says that', () => {
  const fact = { ...asked, kind: 'rspamd', action: 'no action', score: 7, symbols: [] } as const;
  expect(factWords({ ...fact, required: 15 })).toBe('m1: no action, score 7 of 15');
  expect(factWords({ ...fact, required: 0 })).toBe('m1: no action, score 7');
});
