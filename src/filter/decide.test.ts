import { describe, expect, test } from 'vitest';
import { decideFilters } from './decide.ts';
import type { FilterFact, MilterFact, RspamdFact, UnknownFact } from './fact.ts';

const clean: FilterFact = { name: 'clamd', kind: 'clamd', durationMs: 3 };
const infected: FilterFact = { ...clean, malware: 'Eicar\u00fc' };
const milter = (more: Partial<MilterFact>): MilterFact => ({
  name: 'dkim',
  kind: 'milter',
  durationMs: 1,
  verdict: 'accept',
  stage: 'end of message',
  ...more,
});
const rspamd = (action: string): RspamdFact => ({
  name: 'rspamd',
  kind: 'rspamd',
  durationMs: 9,
  action,
  score: 7.125,
  required: 15,
  symbols: [{ name: 'BAYES_SPAM', score: 5 }],
});
const down = (whenDown: UnknownFact['whenDown'], unknown: UnknownFact['unknown'] = 'down'): UnknownFact => ({
  name: 'rspamd',
  kind: 'rspamd',
  durationMs: 1,
  unknown,
  problem: 'connect ECONNREFUSED',
  whenDown,
});

describe('decideFilters()', () => {
  test.each<[string, FilterFact[], string, string]>([
    ['nothing', [], 'accept', ''],
    ['clean', [clean, milter({})], 'accept', ''],
    ['malware', [infected], 'reject', '550 5.7.1 Refused: this message holds malware (Eicar?)'],
    [
      'a milter refuses',
      [milter({ verdict: 'reject' })],
      'reject',
      '550 5.7.1 Refused by the mail filter dkim',
    ],
    [
      'a milter defers',
      [milter({ verdict: 'tempfail' })],
      'defer',
      '451 4.7.1 Not taken now by the mail filter dkim; try again later',
    ],
    ['a milter discards', [milter({ verdict: 'discard' })], 'junk', ''],
    ['quarantine', [milter({ quarantine: 'odd' })], 'junk', ''],
    ['another body', [milter({ wantsOtherBody: true })], 'junk', ''],
    ['spam', [rspamd('add header')], 'junk', ''],
    ['much spam', [rspamd('reject')], 'reject', '550 5.7.1 Refused: this message looks like spam'],
    ['a rule of its own', [rspamd('praise')], 'accept', ''],
    ['down, and that is no matter', [down('accept')], 'accept', ''],
    [
      'down, and mail waits',
      [down('defer')],
      'defer',
      '451 4.7.1 The mail filter rspamd does not answer now; try again later',
    ],
    ['too large', [down('accept', 'tooLarge')], 'accept', ''],
    [
      'refusal goes before deferral',
      [down('defer'), infected],
      'reject',
      '550 5.7.1 Refused: this message holds malware (Eicar?)',
    ],
    [
      'deferral goes before Junk',
      [rspamd('add header'), milter({ verdict: 'tempfail' })],
      'defer',
      '451 4.7.1 Not taken now by the mail filter dkim; try again later',
    ],
  ])('%s', (_, facts, decision, reply) => {
    const decided = decideFilters(facts);
    const { code, enhanced, lines = [] } = decided.reply ?? {};
    expect([decided.decision, [code, enhanced, ...lines].join(' ').trim()]).toEqual([decision, reply]);
  });

  test('says which filter decided, and by what', () => {
    expect(decideFilters([clean, rspamd('add header')]).rule).toBe(
      'Junk: rspamd: add header, score 7.13 of 15, BAYES_SPAM (+5).',
    );
  });
});
