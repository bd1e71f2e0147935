import { describe, expect, test } from 'vitest';
import { readCondition } from './conditions.ts';
import type { Facts } from './facts.ts';
import { type JudgeOptions, judge } from './judge.ts';
import { type Action, type Policy, readChecks } from './policy.ts';

const base: Facts = {
  version: 1,
  client: { address: '192.0.2.1', helo: 'client.example' },
  reversePath: 'a@example.org',
};

const spf = (result: 'pass' | 'fail' | 'temperror'): Partial<Facts> => ({
  spf: { result, domain: 'example.org', scope: 'mailfrom', reason: `scripted ${result}` },
});
const iprev = (result: 'pass' | 'fail' | 'temperror'): Partial<Facts> => ({
  iprev: { result, name: '', reason: `scripted ${result}` },
});

type Line = [when: string, then: Action, score?: number];

function policy(lines: Line[], limits: Partial<Policy> = {}): Policy {
  const checks = readChecks(lines);
  return { name: 'test', junkAt: 5, checks, ...limits };
}

function judged(lines: Line[], facts: Partial<Facts>, limits?: Partial<Policy>) {
  const subject = {
    facts: { ...base, ...facts },
    recipient: { recipient: 'bob@example.com' },
    lists: { block: [], allow: [] },
  };
  return (stage: JudgeOptions['stage'] = 'message') => judge(policy(lines, limits), subject, { stage });
}

const possible = (...given: Parameters<typeof judged>) => [...judged(...given)().possible].sort();

describe('judge()', () => {
  test('the first check that holds decides, whatever comes behind it', () => {
    const lines: Line[] = [
      ['spf:fail', 'junk'],
      ['always', 'reject'],
    ];
    expect(judged(lines, spf('fail'))().disposition).toBe('junk');
    expect(judged(lines, spf('pass'))().disposition).toBe('reject');
  });

  test('where none decides, the sum of the scores does; both limits are reached at their value', () => {
    const lines: Line[] = [
      ['spf:fail', 'score', 2.5],
      ['iprev:fail', 'score', 2.5],
    ];
    const facts = { ...spf('fail'), ...iprev('fail') };
    expect(judged(lines, facts)()).toMatchObject({ disposition: 'junk', score: 5 });
    expect(judged(lines, facts, { rejectAt: 5 })().disposition).toBe('reject');
    expect(judged(lines, facts, { junkAt: 5.1 })().disposition).toBe('accept');
    expect(judged([...lines, ['always', 'score', -1]], facts)()).toMatchObject({
      disposition: 'accept',
      score: 4,
    });
  });

  test('an open answer is tried both ways, and matters only where the ends differ', () => {
    expect(possible([['spf:fail', 'reject']], spf('temperror'))).toEqual(['accept', 'reject']);
    const lines: Line[] = [
      ['spf:fail', 'score', 3],
      ['iprev:fail', 'score', 3],
    ];
    expect(possible(lines, { ...spf('temperror'), ...iprev('pass') })).toEqual(['accept']);
    expect(possible(lines, { ...spf('temperror'), ...iprev('fail') })).toEqual(['accept', 'junk']);
    expect(possible(lines, { ...spf('temperror'), ...iprev('temperror') })).toEqual(['accept', 'junk']);
  });

  test('given up, an open answer counts as none', () => {
    const open = judged([['spf:fail', 'reject']], spf('temperror'));
    expect([...open('given up').possible]).toEqual(['accept']);
    expect(open('message').open).toMatchObject([{ finding: { holds: 'open' } }]);
  });

  test('what is not recorded is open before the message is here, and unknown afterwards', () => {
    const lines: Line[] = [['spf:fail', 'reject']];
    expect([...judged(lines, {})('envelope').possible].sort()).toEqual(['accept', 'reject']);
    const after = judged(lines, {})();
    expect([...after.possible]).toEqual(['accept']);
    expect(after.unknown.map(({ finding }) => finding.why)).toEqual([
      'spf:fail needs what is not recorded: spf',
    ]);
  });

  test('a hundred open answers cost no more than a hundred steps for each sum', () => {
    const lines = Array.from({ length: 200 }, (): Line => ['spf:fail', 'score', 1]);
    expect(possible(lines, spf('temperror'))).toEqual(['accept', 'junk']);
  });

  test('who has waited passes a check that greylists, and the next one is asked', () => {
    const subject = (passed: boolean) => ({
      facts: base,
      recipient: { recipient: 'bob@example.com', greylist: { passed, why: 'it came an hour ago' } },
      lists: { block: [], allow: [] },
    });
    const lines = policy([
      ['always', 'greylist'],
      ['always', 'junk'],
    ]);
    expect(judge(lines, subject(false), { stage: 'message' }).disposition).toBe('greylist');
    expect(judge(lines, subject(true), { stage: 'message' }).disposition).toBe('junk');
  });
});

describe('readCondition()', () => {
  test.each([
    ['spf:fail', { name: 'spf', argument: 'fail' }],
    ['always', { name: 'always', argument: '' }],
  ])('reads %s', (text, expected) => expect(readCondition(text)).toEqual(expected));

  test.each([
    ['sfp:fail', /there is no condition "sfp"; there are dmarc, spf/],
    ['spf', /"spf" is followed by a colon and one of pass, fail/],
    ['spf:maybe', /as in "spf:fail"/],
    ['always:so', /stands alone/],
    ['constructor', /no condition "constructor"/],
  ])('says what is wrong with %s', (text, words) =>
    expect(readCondition(text)).toEqual({ problem: expect.stringMatching(words) }),
  );
});
