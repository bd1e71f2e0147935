import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { conditionNames } from './conditions.ts';
import type { Facts } from './facts.ts';
import { judge } from './judge.ts';
import { defaultPolicy } from './policy.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string) => readFileSync(join(root, 'docs', file), 'utf8');

test.each(conditionNames)('docs/POLICIES.md has the condition %s', (name) => {
  expect(read('POLICIES.md')).toMatch(new RegExp(`^\\|.*\`${name}[\`:].*\\|$`, 'm'));
});

describe('the default policy', () => {
  const scoring = defaultPolicy.checks.filter(({ then }) => then === 'score');

  test.each(scoring.map((check) => [check.when.name, check.when.argument, check.score] as const))(
    '%s %s is no junk by itself, and argued',
    (name, argument, score) => {
      expect(score).toBeLessThan(defaultPolicy.junkAt);
      const spelled = argument === '' ? name : `${name}:${argument}`;
      const row = new RegExp(`^\\|.*\`${spelled}\`.*\\| ${score} \\| .+\\|$`, 'm');
      expect(read('decisions/0032-default-scores.md')).toMatch(row);
    },
  );

  test('scores everything that is argued', () => {
    const [, rows = ''] =
      /\| finding [^\n]*\n([\s\S]*?)\n\n/.exec(read('decisions/0032-default-scores.md')) ?? [];
    const argued = rows
      .split('\n')
      .flatMap((row) => row.split('|')[1]?.match(/[a-z][a-z-]+(?::[a-z-]+)?/g) ?? []);
    const spelled = scoring.map(({ when: { name, argument } }) =>
      argument === '' ? name : `${name}:${argument}`,
    );
    expect(argued.sort()).toEqual(spelled.sort());
  });

  test("greylists nobody, asks no DNS list, refuses nothing for its sum, and never for the sender's domain", () => {
    expect(defaultPolicy.rejectAt).toBeUndefined();
    const names = defaultPolicy.checks.map(({ when }) => when.name);
    for (const name of ['dnsbl', 'dnswl', 'rhsbl'] as const) expect(names).not.toContain(name);
    expect(defaultPolicy.checks.map(({ then }) => then)).not.toContain('greylist');
    const ofDomain = defaultPolicy.checks.filter(({ when }) => when.name === 'sender-domain');
    expect(ofDomain.map(({ then }) => then)).toEqual(['score']);
  });

  test('an honest server that is badly kept gets into the Inbox, a bot on a home line does not', () => {
    const why = 'scripted';
    const client = { address: '192.0.2.1', helo: 'c' };
    const spf = (result: 'none' | 'fail') =>
      ({ result, domain: 'a.example', scope: 'mailfrom', reason: why }) as const;
    const dmarc = {
      result: 'none',
      domain: 'a.example',
      policies: [],
      aligned: { spf: false, dkim: false },
      reason: why,
    } as const;
    const common = {
      version: 1,
      client,
      reversePath: 'x@a.example',
      authors: ['x@a.example'],
      dkim: [],
      dmarc,
    } as const;
    const iprev = { result: 'permerror', name: '', reason: why } as const;
    const acquaintance = { address: false, domain: false, server: false, why };
    const lists = { block: [], allow: [] };
    const recipient = { recipient: 'b@example.com', acquaintance };
    const helo = (result: 'malformed' | 'missing') => ({ result, why });
    const honest: Facts = { ...common, iprev, spf: spf('none'), helo: helo('malformed') };
    const bot: Facts = {
      ...common,
      ...{ iprev, spf: spf('fail'), helo: helo('missing') },
      senderDomain: { result: 'missing', domain: 'a.example', why },
    };
    const end = (facts: Facts) => judge(defaultPolicy, { facts, recipient, lists }, { stage: 'message' });
    expect(end(honest)).toMatchObject({ disposition: 'accept', score: 2.5 });
    expect(end(bot)).toMatchObject({ disposition: 'junk', score: 6 });
  });
});
