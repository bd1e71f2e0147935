import { describe, expect, test } from 'vitest';
import type { DossierEvent } from '../dossier/event.ts';
import type { Facts } from '../policy/facts.ts';
import { type Action, type Policy, readChecks } from '../policy/policy.ts';
import { Policies } from './policies.ts';
import { replay } from './replay.ts';

const bob = 'bob@example.com';

const facts: Facts = {
  version: 1,
  client: { address: '192.0.2.1', helo: 'client.example' },
  reversePath: 'a@example.org',
  spf: { result: 'fail', domain: 'example.org', scope: 'mailfrom', reason: 'not permitted' },
};

function policies(...lines: [when: string, then: Action][]): Policies {
  const checks = readChecks(lines);
  const policy: Policy = { name: 'default', junkAt: 5, checks, block: [], allow: [] };
  const store = { findAccount: async () => undefined };
  return new Policies({ policies: [policy], domains: [{ name: 'example.com' }], store });
}

type Data<Name> = (DossierEvent & { event: Name })['data'];

const at = { at: 1000, queueId: 'Q1' };

const checked = (more: Partial<Data<'checked'>> = {}): DossierEvent => ({
  ...at,
  event: 'checked',
  data: {
    authenticationResults: '',
    spf: 'fail',
    dkim: 'none',
    dmarc: 'none',
    decision: 'accept',
    rule: '',
    durationMs: 1,
    facts,
    ...more,
  },
});

const judged = (more: Partial<Data<'judged'>> = {}): DossierEvent => ({
  ...at,
  recipient: bob,
  event: 'judged',
  data: { policy: 'default', disposition: 'accept', folder: 'Inbox', rule: '', ...more },
});

const refusedAtRcpt: DossierEvent = {
  ...at,
  event: 'refused',
  data: { from: facts.reversePath, to: [bob], reply: '550', rule: '', facts },
};

const ends = async (events: DossierEvent[], ...lines: [when: string, then: Action][]) =>
  (await replay(events, policies(...lines))).differences.map(({ before, after }) => `${before} → ${after}`);

describe('replay()', () => {
  test('finds nothing where the policy makes the same of it', async () => {
    expect(await replay([checked(), judged()], policies(['spf:pass', 'junk']))).toEqual({
      recipients: 1,
      differences: [],
    });
  });

  test('tells what would be, and why', async () => {
    const { differences } = await replay([checked(), judged()], policies(['spf:fail', 'reject']));
    expect(differences).toEqual([
      {
        ...{
          queueId: 'Q1',
          at: 1000,
          from: 'a@example.org',
          recipient: bob,
          before: 'Inbox',
          after: 'refused',
        },
        rule: expect.stringContaining('SPF is "fail" for example.org'),
      },
    ]);
  });

  test('a message that was refused as a whole would be taken', async () => {
    const events = [checked({ decision: 'reject' }), judged({ disposition: 'reject' })];
    expect(await ends(events, ['spf:fail', 'junk'])).toEqual(['refused → Junk']);
    expect(await ends(events, ['spf:fail', 'reject'])).toEqual([]);
  });

  test('what was not recorded is unknown, where the end depends on it', async () => {
    expect(await ends([checked(), judged()], ['dkim:none', 'reject'])).toEqual(['Inbox → unknown']);
    expect(await ends([checked(), judged()], ['always', 'junk'], ['dkim:none', 'reject'])).toEqual([
      'Inbox → Junk',
    ]);
  });

  test('what was unknown then, too, is no difference', async () => {
    const unknown = ['dkim:none needs what is not recorded: dkim'];
    expect(await ends([checked(), judged({ unknown })], ['dkim:none', 'reject'])).toEqual([]);
  });

  test('who was turned away at RCPT might be let in, with a message that nobody has seen', async () => {
    const events = [refusedAtRcpt, judged({ disposition: 'reject' })];
    expect(await ends(events, ['spf:fail', 'reject'])).toEqual([]);
    expect(await ends(events, ['spf:pass', 'reject'])).toEqual(['refused → unknown']);
  });

  test('what was given up after hours is given up again, and what was deferred is deferred', async () => {
    const open = { ...facts, spf: { ...facts.spf, result: 'temperror' } } as Facts;
    const givenUp = [checked({ facts: open, givenUp: true }), judged()];
    expect(await ends(givenUp, ['spf:fail', 'reject'])).toEqual([]);
    const deferred = [checked({ facts: open, decision: 'defer' }), judged()];
    expect(await ends(deferred, ['spf:fail', 'reject'])).toEqual([]);
    expect(await ends(deferred)).toEqual(['deferred → Inbox']);
  });

  test('says nothing of facts of another version, or of none', async () => {
    const other = { ...facts, version: 2 } as unknown as Facts;
    for (const events of [[checked({ facts: other }), judged()], [judged()], []])
      expect(await replay(events, policies(['always', 'junk']))).toEqual({ recipients: 0, differences: [] });
  });
});
