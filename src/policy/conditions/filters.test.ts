import { describe, expect, test } from 'vitest';
import type { FilterFact } from '../../filter/fact.ts';
import { readCondition } from '../conditions.ts';
import { decide } from '../decide.ts';
import { answer } from '../judge.ts';
import { defaultPolicy } from '../policy.ts';

const asked = { name: 'f', durationMs: 1 };
const milter = { ...asked, kind: 'milter', verdict: 'accept', stage: 'end of message' } as const;
const rspamd = {
  ...asked,
  kind: 'rspamd',
  action: 'no action',
  score: 6.5,
  required: 15,
  symbols: [],
} as const;
const clamd = { ...asked, kind: 'clamd' } as const;
const silent = { ...asked, unknown: 'down', problem: 'refused', whenDown: 'accept' } as const;

const judgedOf = (filters: readonly FilterFact[] | undefined) => ({
  facts: {
    version: 1 as const,
    client: { address: '192.0.2.1', helo: 'x' },
    reversePath: 'a@example.net',
    ...(filters && { filters }),
  },
  recipient: { recipient: 'b@example.com' },
  lists: { block: [], allow: [] },
});

function holds(condition: string, filters: readonly FilterFact[] | undefined): string {
  const when = readCondition(condition);
  if ('problem' in when) throw new Error(when.problem);
  const [any] = defaultPolicy.checks;
  if (any === undefined) throw new Error('the default policy has no check');
  return answer({ ...judgedOf(filters), dmarc: 'nothing' }, { ...any, when }, 'message').holds;
}

test.each<[string, readonly FilterFact[] | undefined, string]>([
  ['malware', undefined, 'unknown'],
  ['malware', [], 'no'],
  ['malware', [clamd], 'no'],
  ['malware', [{ ...clamd, malware: 'Eicar' }], 'yes'],
  ['malware', [{ ...silent, kind: 'clamd' }], 'unknown'],
  ['malware', [{ ...silent, kind: 'rspamd' }], 'no'],
  ['milter:reject', [milter, { ...milter, verdict: 'reject' }], 'yes'],
  ['milter:reject', [{ ...milter, verdict: 'discard' }], 'no'],
  ['milter:discard', [{ ...milter, verdict: 'discard' }], 'yes'],
  ['milter:quarantine', [{ ...milter, quarantine: 'odd' }], 'yes'],
  ['milter:other-body', [{ ...milter, wantsOtherBody: true }], 'yes'],
  ['milter:junk', [{ ...milter, wantsOtherBody: true }], 'yes'],
  ['milter:junk', [{ ...milter, verdict: 'reject' }], 'no'],
  ['rspamd:reject', [{ ...rspamd, action: 'reject' }], 'yes'],
  ['rspamd:junk', [{ ...rspamd, action: 'rewrite subject' }], 'yes'],
  ['rspamd:junk', [rspamd], 'no'],
  ['rspamd:6.5', [rspamd], 'yes'],
  ['rspamd:6.6', [rspamd], 'no'],
  ['rspamd:-3', [rspamd], 'yes'],
  ['filter-down', [milter], 'no'],
  ['filter-down', [{ ...silent, kind: 'clamd' }], 'yes'],
  ['filter-down:g', [{ ...silent, kind: 'clamd' }], 'no'],
  ['filter-down', [{ ...silent, unknown: 'tooLarge', kind: 'clamd' }], 'no'],
])('%s of %j is %s', (condition, filters, expected) => expect(holds(condition, filters)).toBe(expected));

test.each(['rspamd', 'rspamd:much', 'milter', 'milter:x', 'malware:x', 'filter-down:a b'])(
  '%s is no condition',
  (text) => {
    expect(readCondition(text)).toHaveProperty('problem');
  },
);

describe('the default policy', () => {
  const decided = (...filters: FilterFact[]) =>
    decide([{ policy: defaultPolicy, judged: judgedOf(filters) }], { stage: 'message' });

  test('gives a milter its own words', () => {
    const reply = { code: 554, enhanced: '5.7.1', lines: ['no'] };
    expect(decided({ ...milter, verdict: 'reject', reply }).reply).toEqual(reply);
  });

  test('refuses malware before all else, whoever else is down', () => {
    const down: FilterFact = { ...silent, kind: 'rspamd', whenDown: 'defer' };
    expect(decided(down, { ...clamd, malware: 'Eicar' })).toMatchObject({
      decision: 'reject',
      reply: { code: 550, lines: ['Refused: this message holds malware (Eicar)'] },
    });
  });

  test.each<[string, FilterFact, string]>([
    ['a filter that is down and waited for', { ...silent, kind: 'clamd', whenDown: 'defer' }, 'defer'],
    ['a milter that wants it later', { ...milter, verdict: 'tempfail' }, 'defer'],
    ["rspamd's soft reject", { ...rspamd, action: 'soft reject' }, 'defer'],
    ['a filter that is down', { ...silent, kind: 'clamd' }, 'accept'],
    ['spam', { ...rspamd, action: 'add header' }, 'junk'],
  ])('%s', (_, fact, decision) => {
    const found = decided(fact);
    expect(found.decision).toBe(decision);
    expect(found.isAsked).toBe(decision === 'defer' ? true : undefined);
    expect(found.reply?.code).toBe(decision === 'defer' ? 451 : undefined);
  });
});
