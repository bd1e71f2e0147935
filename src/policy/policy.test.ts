import { describe, expect, test } from 'vitest';
import { spell } from './conditions.ts';
import { decide } from './decide.ts';
import type { Facts } from './facts.ts';
import { type CheckLine, defaultPolicy, readChecks, withBuiltIn } from './policy.ts';

const listed = { result: 'listed', codes: ['127.0.0.2'], why: '192.0.2.1 is listed by bl.example' } as const;
const proven: Facts = {
  version: 1,
  client: { address: '192.0.2.1', helo: 'mx.bad.example' },
  reversePath: 'max@bad.example',
  authors: ['max@bad.example'],
  spf: { result: 'pass', domain: 'bad.example', scope: 'mailfrom', reason: 'scripted' },
  dkim: [],
  dmarc: {
    ...{ result: 'none', domain: 'bad.example', policies: [], reason: 'no record' },
    aligned: { spf: false, dkim: false },
  },
  dnsbl: { 'bl.example': listed },
  filters: [{ kind: 'clamd', name: 'clamd', durationMs: 1 }],
};

const decided = (
  own: readonly CheckLine[],
  facts: Partial<Facts>,
  lists: { block?: string[]; allow?: string[] } = {},
) =>
  decide(
    [
      {
        policy: { name: 'office', junkAt: 5, checks: withBuiltIn(readChecks(own)) },
        judged: {
          facts: { ...proven, ...facts },
          recipient: { recipient: 'max@office.example', greylist: { passed: false, why: 'it is new' } },
          lists: { block: [], allow: [], ...lists },
        },
      },
    ],
    { stage: 'message' },
  ).decision;

const infected: Partial<Facts> = {
  filters: [{ kind: 'clamd', name: 'clamd', durationMs: 1, malware: 'Eicar-Test-Signature' }],
};

describe('withBuiltIn(): malware and what a person has said come before what a policy asks itself', () => {
  const welcome: CheckLine[] = [['dnswl:bl.example', 'accept']];
  test.each([
    ['malware, from a server that is welcome', welcome, infected, {}, 'reject'],
    ['malware, where the check only wants Junk', [['always', 'junk']], infected, {}, 'reject'],
    ['malware, of an allowed sender', welcome, infected, { allow: ['bad.example'] }, 'reject'],
    ['a blocked sender, from a server that is welcome', welcome, {}, { block: ['bad.example'] }, 'reject'],
    [
      'a blocked sender is not greylisted',
      [['always', 'greylist']],
      {},
      { block: ['bad.example'] },
      'reject',
    ],
    [
      'an allowed one that a list names',
      [['dnsbl:bl.example', 'reject']],
      {},
      { allow: ['bad.example'] },
      'accept',
    ],
    ['an allowed one is not greylisted', [['always', 'greylist']], {}, { allow: ['bad.example'] }, 'accept'],
    [
      'an allowed one that nothing proves',
      [['dnsbl:bl.example', 'reject']],
      { spf: { result: 'none', domain: 'bad.example', scope: 'mailfrom', reason: 'scripted' } },
      { allow: ['bad.example'] },
      'reject',
    ],
    ['anybody else that a list names', [['dnsbl:bl.example', 'reject']], {}, {}, 'reject'],
  ] as const)('%s: %#', (_, own, facts, lists, decision) => {
    expect(decided(own, facts, lists as Parameters<typeof decided>[2])).toBe(decision);
  });

  test("then a policy's own checks, then the rest", () => {
    const names = withBuiltIn(readChecks([['spf:fail', 'junk']])).map(({ when }) => spell(when));
    expect(names.slice(0, 5)).toEqual(['malware', 'blocked', 'allowed', 'spf:fail', 'dmarc:reject']);
    expect(names).toHaveLength(defaultPolicy.checks.length + 1);
  });

  test('a check of their own stands where it is written, and the built-in one is left out', () => {
    const own = readChecks([
      ['spf:fail', 'reject'],
      ['blocked', 'junk'],
    ]);
    const found = withBuiltIn(own).filter(({ when }) => when.name === 'blocked');
    expect(found).toEqual([own[1]]);
    expect(decided([['blocked', 'junk']], {}, { block: ['bad.example'] })).toBe('junk');
  });
});
