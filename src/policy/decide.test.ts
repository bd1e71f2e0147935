import { describe, expect, test } from 'vitest';
import { type Addressee, decide, refuseEarly } from './decide.ts';
import type { Facts, RecipientFacts } from './facts.ts';
import { type Action, type Policy, readChecks } from './policy.ts';

const failing: Facts = {
  version: 1,
  client: { address: '192.0.2.1', helo: 'client.example' },
  reversePath: 'a@example.org',
  spf: { result: 'fail', domain: 'example.org', scope: 'mailfrom', reason: 'not permitted' },
};
const open: Facts = {
  ...failing,
  spf: { ...(failing.spf as NonNullable<Facts['spf']>), result: 'temperror' },
};

function policy(name: string, ...lines: [when: string, then: Action, score?: number][]): Policy {
  const checks = readChecks(lines);
  return { name, junkAt: 5, checks };
}

const strict = policy('strict', ['spf:fail', 'reject']);
const mild = policy('mild', ['spf:fail', 'junk']);
const easy = policy('easy');
const patient = policy('patient', ['always', 'greylist']);

function to(
  chosen: Policy,
  recipient: string,
  facts = failing,
  more: Partial<RecipientFacts> = {},
): Addressee {
  return {
    policy: chosen,
    judged: { facts, recipient: { recipient, ...more }, lists: { block: [], allow: [] } },
  };
}

const folders = (addressees: Addressee[]) =>
  decide(addressees, { stage: 'message' }).rulings.map(({ folder }) => folder);

describe('decide()', () => {
  test('not-14: refuses only where every recipient refuses; else it is Junk for those that would', () => {
    const all = decide([to(strict, 'a@x'), to(strict, 'b@x')], { stage: 'message' });
    expect(all).toMatchObject({ decision: 'reject', reply: { code: 550, enhanced: '5.7.1' } });
    const mixed = decide([to(strict, 'a@x'), to(mild, 'b@x'), to(easy, 'c@x')], { stage: 'message' });
    expect(mixed.reply).toBeUndefined();
    expect(mixed.decision).toBe('accept');
    expect(mixed.rulings.map(({ folder }) => folder)).toEqual(['Junk', 'Junk', 'Inbox']);
  });

  test('not-14: nobody reads the rule of another', () => {
    const { rule, rulings } = decide([to(strict, 'a@x'), to(easy, 'b@x')], { stage: 'message' });
    expect(rule).toBe('each recipient has a policy that decides for itself');
    expect(rulings[0]?.rule).toContain('by the policy "strict": SPF is "fail"');
    expect(rulings[0]?.rule).toContain('; not refused, as another recipient takes it.');
    expect(rulings[1]?.rule).not.toMatch(/strict|not refused/);
  });

  test('says how it would have come into the Inbox', () => {
    const [ruling] = decide([to(mild, 'a@x')], { stage: 'message' }).rulings;
    expect(ruling?.rule).toMatch(/It would be in the Inbox if SPF passed for example\.org\.$/);
    const sum = policy('sum', ['spf:fail', 'score', 4], ['dkim:none', 'score', 2], ['always', 'score', -0.5]);
    const facts = { ...failing, dkim: [] };
    const [scored] = decide([to(sum, 'a@x', facts)], { stage: 'message' }).rulings;
    expect(scored).toMatchObject({ folder: 'Junk', judgement: { score: 5.5 } });
    expect(scored?.rule).toMatch(
      /the score is 5\.5 of 5: SPF is "fail".* \(4\); no DKIM signature is valid \(2\)/,
    );
    expect(scored?.rule).toMatch(/It would be in the Inbox if SPF passed for example\.org\.$/);
  });

  test('defers where the answer could change what happens, and not where another takes the message anyway', () => {
    expect(decide([to(strict, 'a@x', open)], { stage: 'message' })).toMatchObject({
      decision: 'defer',
      reply: { code: 451, enhanced: '4.4.3' },
      rule: expect.stringMatching(/decides between the inbox or a refusal/),
    });
    // For the strict one it is Junk or Inbox then, which still differ.
    expect(decide([to(strict, 'a@x', open), to(easy, 'b@x', open)], { stage: 'message' }).decision).toBe(
      'defer',
    );
    const either = policy('either', ['spf:fail', 'reject'], ['always', 'junk']);
    expect(decide([to(either, 'a@x', open)], { stage: 'message' }).decision).toBe('defer');
    expect(folders([to(either, 'a@x', open), to(easy, 'b@x', open)])).toEqual(['Junk', 'Inbox']);
    expect(decide([to(strict, 'a@x', open)], { stage: 'given up' }).decision).toBe('accept');
  });

  test('of a message that is asked back, nothing has become for anybody', () => {
    const junkOrRefused = policy('either', ['spf:fail', 'reject'], ['always', 'junk']);
    const { rulings } = decide([to(strict, 'a@x', open), to(junkOrRefused, 'b@x', failing)], {
      stage: 'message',
    });
    expect(rulings.map(({ disposition }) => disposition)).toEqual(['defer', 'defer']);
    expect(rulings[0]?.rule).toMatch(/^Deferred: .*decides between the inbox or a refusal/);
    expect(rulings[1]?.rule).toMatch(/^Deferred: for another recipient/);
    const down = { kind: 'clamd', name: 'clamd', durationMs: 1 } as const;
    const facts: Facts = {
      ...failing,
      filters: [{ ...down, unknown: 'down', problem: 'refused', whenDown: 'defer' }],
    };
    const asked = decide([to(easy, 'a@x', facts), to(mild, 'b@x', facts)], { stage: 'message' });
    expect(asked.rulings.map(({ disposition, rule }) => [disposition, rule])).toEqual([
      ['defer', asked.rule],
      ['defer', asked.rule],
    ]);
  });

  test('nobody waits for a recipient who greylists where another takes the message at once', () => {
    const waiting = { greylist: { passed: false, why: 'it is new', waitSeconds: 240 } };
    const alone = decide([to(patient, 'a@x', failing, waiting)], { stage: 'message' });
    expect(alone).toMatchObject({ decision: 'greylist', reply: { code: 451, enhanced: '4.7.1' } });
    expect(alone.reply?.lines).toEqual(['Greylisted: please try again in 4 minutes']);
    const untilNamed = policy('p', ['spf:fail', 'greylist']);
    expect(decide([to(untilNamed, 'a@x', failing, waiting)], { stage: 'message' }).rule).toMatch(
      /if SPF passed for example\.org, or if it came again in 4 minutes\.$/,
    );
    expect(folders([to(patient, 'a@x', failing, waiting), to(easy, 'b@x')])).toEqual(['Inbox', 'Inbox']);
    const both = decide([to(patient, 'a@x', failing, waiting), to(strict, 'b@x')], { stage: 'message' });
    expect(both.decision).toBe('greylist');
  });
});

describe('refuseEarly()', () => {
  const known: Facts = { ...failing };
  const early: Facts = { version: 1, client: failing.client, reversePath: '' };

  test('refuses what nothing in the message could save', () => {
    expect(refuseEarly(to(strict, 'a@x', known))).toMatchObject({ decision: 'reject', reply: { code: 550 } });
  });

  test('waits where the message may bring something', () => {
    expect(refuseEarly(to(strict, 'a@x', early))).toBeUndefined();
    expect(
      refuseEarly(to(policy('p', ['dkim:pass', 'accept'], ['always', 'reject']), 'a@x', early)),
    ).toBeUndefined();
    expect(
      refuseEarly(to(policy('p', ['dkim:none', 'reject'], ['always', 'reject']), 'a@x', early)),
    ).toBeDefined();
  });

  test('asks to come again where it is that or a refusal', () => {
    const waiting = { greylist: { passed: false, why: 'it is new' } };
    const either = policy('p', ['dkim:none', 'reject'], ['always', 'greylist']);
    expect(refuseEarly(to(either, 'a@x', early, waiting))).toMatchObject({
      decision: 'greylist',
      reply: { code: 451 },
    });
  });
});
