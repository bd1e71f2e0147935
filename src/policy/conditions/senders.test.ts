import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../mail/address.ts';
import { decide, refuseEarly } from '../decide.ts';
import type { Facts } from '../facts.ts';
import { defaultPolicy } from '../policy.ts';

const spf = (result: 'pass' | 'fail' | 'none' | 'temperror', domain: string) =>
  ({ result, domain, scope: 'mailfrom', reason: 'scripted' }) as const;

const dkim = (result: 'pass' | 'fail' | 'temperror', domain: string) => ({
  ...{ result, domain, selector: 's', algorithm: 'rsa-sha256', signature: 'abcdefgh' },
  ...{ aligned: false, reason: 'scripted' },
});

const dmarc = (result: 'pass' | 'none', domain: string) => ({
  ...{ result, domain, policies: [], aligned: { spf: false, dkim: false }, reason: 'scripted' },
});

const authenticated = (part: Partial<Facts> & Pick<Facts, 'reversePath'>): Facts => {
  const domain = parseAddress(part.authors?.[0] ?? part.reversePath)?.domain ?? '';
  return {
    version: 1,
    client: { address: '192.0.2.1', helo: 'mx.example.org' },
    authors: [part.reversePath],
    ...{ spf: spf('none', domain), dkim: [], dmarc: dmarc('none', domain) },
    ...part,
  };
};

const addressee = (facts: Facts, lists: { block?: readonly string[]; allow?: readonly string[] }) => ({
  policy: defaultPolicy,
  judged: { facts, recipient: { recipient: 'a@example.com' }, lists: { block: [], allow: [], ...lists } },
});

const judged = (facts: Facts, lists: { block?: readonly string[]; allow?: readonly string[] }) =>
  decide([addressee(facts, lists)], { stage: 'message' });

describe('M12: block lists', () => {
  const facts = authenticated({ reversePath: 'bounce@mailer.example', authors: ['shop@example.org'] });

  test.each([
    [
      'the author',
      ['*@example.org'],
      'reject',
      /shop@example\.org in From is on the block list, by "\*@example\.org"/,
    ],
    ['the envelope', ['*.mailer.example'], 'reject', /bounce@mailer\.example in the envelope/],
    ['nobody like that', ['*@example.net'], 'accept', /^Accepted/],
  ] as const)('%s', (_, block, decision, rule) => {
    const ruled = judged(facts, { block });
    expect(ruled.decision).toBe(decision);
    expect(ruled.rule).toMatch(rule);
  });

  test('the client hears that it is not taken, not whose list it is on nor what is on it', () => {
    const { reply } = judged(facts, { block: ['*@example.org'] });
    expect(reply?.code).toBe(550);
    expect(reply?.lines.join()).not.toMatch(/\*|list/);
  });

  test('who is blocked goes before who is allowed', () => {
    const proven = { ...facts, dkim: [dkim('pass', 'example.org')], dmarc: dmarc('pass', 'example.org') };
    expect(judged(proven, { block: ['shop@example.org'], allow: ['*@example.org'] }).decision).toBe('reject');
  });

  test('the envelope is enough to refuse at RCPT; an author cannot be known there', () => {
    const { version, client, reversePath } = facts;
    const early = { version, client, reversePath };
    expect(refuseEarly(addressee(early, { block: ['*.mailer.example'] }))?.reply.code).toBe(550);
    expect(refuseEarly(addressee(early, { block: ['*@example.org'] }))).toBeUndefined();
  });
});

describe('M12: allow lists count only for whom it is proven', () => {
  /** By way of a list, which breaks the signature of an author whose domain wants everything refused. */
  const relayed = authenticated({
    reversePath: 'members@lists.example',
    authors: ['me@bank.example'],
    dmarc: {
      ...dmarc('none', 'bank.example'),
      result: 'fail',
      policies: ['reject'],
      alignment: { spf: 'relaxed', dkim: 'relaxed' },
    },
  });

  test.each([
    ['not on the list', '*@example.net', { spf: spf('pass', 'lists.example') }, 'junk'],
    ['SPF passes for the envelope', '*@lists.example', { spf: spf('pass', 'lists.example') }, 'accept'],
    ['a signature of the domain', '*@lists.example', { dkim: [dkim('pass', 'lists.example')] }, 'accept'],
    ['a signature of a top-level domain', '*@lists.example', { dkim: [dkim('pass', 'example')] }, 'junk'],
    ['a signature of another', '*@lists.example', { dkim: [dkim('pass', 'evil.example')] }, 'junk'],
    [
      'a signature of a part',
      '*@lists.example',
      { dkim: [{ ...dkim('pass', 'lists.example'), unsignedOctets: 9 }] },
      'junk',
    ],
    [
      'SPF of the envelope says nothing of the author',
      'me@bank.example',
      { spf: spf('pass', 'lists.example') },
      'junk',
    ],
    [
      'SPF of HELO says nothing of the envelope',
      '*@lists.example',
      { spf: { ...spf('pass', 'lists.example'), scope: 'helo' } },
      'junk',
    ],
    ['nothing proves it', '*@lists.example', {}, 'reject'],
    ['it is not known yet', '*@lists.example', { dkim: [dkim('temperror', 'lists.example')] }, 'defer'],
  ] as const)('%s', (_, pattern, found, decision) => {
    expect(judged({ ...relayed, ...found }, { allow: [pattern] }).decision).toBe(decision);
  });

  test('the dossier says what counted', () => {
    const { rule } = judged({ ...relayed, spf: spf('pass', 'lists.example') }, { allow: ['lists.example'] });
    expect(rule).toBe(
      'Accepted: members@lists.example in the envelope is on the allow list, by "lists.example", and SPF passes for lists.example.',
    );
  });
});

describe("not-14: one recipient's lists are not another's", () => {
  const facts = authenticated({ reversePath: 'shop@example.org', spf: spf('pass', 'example.org') });

  test('who blocks the sender finds the message in Junk, the other in the Inbox', () => {
    const both = [addressee(facts, { block: ['*@example.org'] }), addressee(facts, {})];
    const { decision, rulings, rule } = decide(both, { stage: 'message' });
    expect(decision).toBe('accept');
    expect(rulings.map(({ folder }) => folder)).toEqual(['Junk', 'Inbox']);
    expect(rulings[1]?.rule).not.toContain('block');
    expect(rule).not.toContain('block');
  });

  test('where each has a reason of its own, none is told in the name of all', () => {
    const both = [addressee(facts, { block: ['*@example.org'] }), addressee(facts, { block: ['shop@*'] })];
    const { decision, rule } = decide(both, { stage: 'message' });
    expect(decision).toBe('reject');
    expect(rule).toBe('no recipient takes it, each for a reason of its own');
  });
});
