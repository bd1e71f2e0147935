import { describe, expect, it } from 'vitest';
import type {
  DkimResult,
  DkimVerdict,
  DmarcPolicy,
  DmarcVerdict,
  SpfResult,
  Verdicts,
} from '../authentication/verdicts.ts';
import { decideByDefault as decide } from '../testing/decide.ts';
import type { Decision } from './decide.ts';

const spf = (result: SpfResult, domain = 'other.example'): Verdicts['spf'] => ({
  result,
  domain,
  scope: 'mailfrom',
  reason: `scripted ${result}`,
});

const dkim = (result: DkimResult, domain = 'signer.example'): DkimVerdict => ({
  result,
  domain,
  selector: 's',
  algorithm: 'rsa-sha256',
  signature: 'abcdefgh',
  aligned: false,
  reason: `scripted ${result}`,
});

type DmarcPart = Partial<DmarcVerdict> & Pick<DmarcVerdict, 'result'>;

function dmarc(policy: DmarcPolicy | undefined, part: DmarcPart): DmarcVerdict {
  return {
    domain: 'mail.bank.example',
    ...(policy && { organizationalDomain: 'bank.example', policyDomain: 'bank.example' }),
    ...(policy && {
      published: { p: policy, testing: false },
      alignment: { spf: 'relaxed', dkim: 'relaxed' },
    }),
    policies: policy ? [policy] : [],
    aligned: { spf: false, dkim: false },
    reason: `scripted ${part.result}`,
    ...part,
  };
}

const fail = (policy: DmarcPolicy, part: Partial<DmarcVerdict> = {}) =>
  dmarc(policy, { result: 'fail', ...part });
const pass = (policy: DmarcPolicy) =>
  dmarc(policy, { result: 'pass', reason: 'SPF aligned with mail.bank.example' });
const none = dmarc(undefined, { result: 'none', reason: 'no DMARC record applies to mail.bank.example' });
const anything: DmarcPolicy[] = ['none', 'quarantine', 'reject'];
/** The record itself could not be looked up. */
const unknown = dmarc(undefined, { result: 'temperror', policies: anything });
const strict = { alignment: { spf: 'strict', dkim: 'strict' } } as const;

const verdicts = (spf: Verdicts['spf'], dkim: DkimVerdict[], dmarc: DmarcVerdict) => ({ spf, dkim, dmarc });

type Row = [rule: string, Verdicts['spf'], DkimVerdict[], DmarcVerdict, Decision['decision'], words: RegExp];

const table: Row[] = [
  [
    'DMARC pass is accepted',
    spf('pass', 'bank.example'),
    [],
    pass('reject'),
    'accept',
    /^Accepted: DMARC passes, SPF aligned/,
  ],
  [
    'DMARC pass, whatever else cannot be looked up',
    spf('temperror'),
    [dkim('temperror')],
    pass('reject'),
    'accept',
    /DMARC passes/,
  ],
  ['no record: accepted', spf('none'), [], none, 'accept', /no DMARC record applies to mail\.bank\.example/],
  [
    'SPF fail alone never rejects',
    spf('fail'),
    [],
    none,
    'accept',
    /neither SPF \(fail\) nor DKIM \(not signed\)/,
  ],
  [
    'no record: a temperror of SPF changes nothing',
    spf('temperror'),
    [dkim('temperror')],
    none,
    'accept',
    /no DMARC record/,
  ],
  [
    'p=none asks for nothing',
    spf('fail'),
    [dkim('fail')],
    fail('none'),
    'accept',
    /"none", which asks for no action/,
  ],
  [
    'p=none: a temperror changes nothing',
    spf('temperror'),
    [dkim('temperror')],
    fail('none'),
    'accept',
    /"none"/,
  ],
  [
    'p=quarantine: Junk',
    spf('fail'),
    [],
    fail('quarantine'),
    'junk',
    /"quarantine"\. It would be in the Inbox if SPF passed, or a DKIM signature were valid, for mail\.bank\.example or a related domain\./,
  ],
  [
    'p=reject, nothing authenticates: refused',
    spf('fail'),
    [],
    fail('reject'),
    'reject',
    /nothing authenticates the message: SPF fail .*not signed/,
  ],
  [
    'p=reject, SPF none and a broken signature: refused',
    spf('none', ''),
    [dkim('fail')],
    fail('reject'),
    'reject',
    /signature of signer\.example is "fail"/,
  ],
  [
    'p=reject, strict alignment: said so',
    spf('softfail'),
    [],
    fail('reject', strict),
    'reject',
    /valid, for mail\.bank\.example\.$/,
  ],
  [
    'p=reject, SPF passes for another domain: Junk',
    spf('pass', 'list.example'),
    [],
    fail('reject'),
    'junk',
    /not refused, as SPF passes for list\.example \(RFC 9989 §7\.4\)/,
  ],
  [
    'p=reject, a signature of another domain: Junk',
    spf('fail'),
    [dkim('fail', 'mail.bank.example'), dkim('pass', 'list.example')],
    fail('reject'),
    'junk',
    /DKIM passes for list\.example/,
  ],
  [
    'p=reject, a signature that our limits left unchecked: Junk',
    spf('fail'),
    [dkim('policy', '')],
    fail('reject'),
    'junk',
    /not refused, as scripted policy/,
  ],
  [
    't=y softens reject: Junk',
    spf('fail'),
    [],
    fail('quarantine', { published: { p: 'reject', testing: true } }),
    'junk',
    /softened by t=y/,
  ],

  [
    'p=reject, SPF not known: it may save the message',
    spf('temperror'),
    [],
    fail('reject'),
    'defer',
    /SPF of other\.example is not known .*refusal/,
  ],
  [
    'p=reject, a key not known: it may save the message',
    spf('fail'),
    [dkim('temperror')],
    fail('reject'),
    'defer',
    /DKIM key of signer\.example is not known/,
  ],
  [
    'p=reject, SPF passes elsewhere, an unrelated key not known: Junk either way',
    spf('pass', 'list.example'),
    [dkim('temperror')],
    fail('reject'),
    'junk',
    /SPF passes for list\.example/,
  ],
  [
    'p=reject, SPF passes elsewhere, a related key not known',
    spf('pass', 'list.example'),
    [dkim('temperror', 'bank.example')],
    fail('reject'),
    'defer',
    /the inbox/,
  ],
  [
    'p=quarantine, an unrelated key not known: Junk either way',
    spf('fail'),
    [dkim('temperror')],
    fail('quarantine'),
    'junk',
    /"quarantine"/,
  ],
  [
    'p=quarantine, a related key not known',
    spf('fail'),
    [dkim('temperror', 'sig.bank.example')],
    fail('quarantine'),
    'defer',
    /the inbox or the Junk folder/,
  ],
  [
    'strict: the key of a related domain cannot save it',
    spf('fail'),
    [dkim('temperror', 'bank.example')],
    fail('quarantine', strict),
    'junk',
    /valid, for mail\.bank\.example\.$/,
  ],
  [
    'strict: the key of the domain itself can',
    spf('fail'),
    [dkim('temperror', 'mail.bank.example')],
    fail('quarantine', strict),
    'defer',
    /the inbox/,
  ],
  [
    'a signature that could not be read may be of any domain',
    spf('fail'),
    [dkim('temperror', '')],
    fail('quarantine'),
    'defer',
    /key of a signature/,
  ],

  [
    'policy not known, nothing passes',
    spf('none'),
    [],
    unknown,
    'defer',
    /DMARC of mail\.bank\.example is not known/,
  ],
  [
    'policy not known, another domain passes',
    spf('pass', 'list.example'),
    [],
    unknown,
    'defer',
    /the inbox or the Junk folder/,
  ],
  [
    'policy not known, the author domain itself passes: accepted under any',
    spf('pass', 'mail.bank.example'),
    [],
    unknown,
    'accept',
    /any answer would have led here/,
  ],
  [
    'policy not known, its own signature passes',
    spf('temperror'),
    [dkim('pass', 'mail.bank.example')],
    unknown,
    'accept',
    /any answer/,
  ],
  [
    'alignment not known, p=none',
    spf('pass', 'x.bank.example'),
    [],
    dmarc('none', { result: 'temperror' }),
    'accept',
    /any answer/,
  ],
  [
    'alignment not known, p=reject',
    spf('pass', 'x.bank.example'),
    [],
    dmarc('reject', { result: 'temperror' }),
    'defer',
    /the inbox or the Junk folder/,
  ],
  [
    'sp or np not known, nothing passes',
    spf('fail'),
    [],
    dmarc('reject', { result: 'temperror', policies: ['quarantine', 'reject'] }),
    'defer',
    /the Junk folder or a refusal/,
  ],
  [
    'sp or np not known, another domain passes: Junk under both',
    spf('pass', 'list.example'),
    [],
    dmarc('reject', { result: 'temperror', policies: ['quarantine', 'reject'] }),
    'junk',
    /"quarantine" or "reject"/,
  ],

  [
    'no single author: Junk',
    spf('pass'),
    [dkim('pass')],
    dmarc(undefined, { result: 'permerror', domain: '', reason: 'the message has 2 From fields' }),
    'junk',
    /^Junk: the message has 2 From fields, .*one From field/,
  ],
];

describe('decide() by the default policy', () => {
  it.each(table)('P11: %s', (_, spf, dkim, dmarc, decision, words) => {
    const decided = decide(verdicts(spf, dkim, dmarc));
    expect(decided).toMatchObject({ decision, rule: expect.stringMatching(words) });
    expect(decided.reply?.code).toBe(
      { accept: undefined, junk: undefined, greylist: 451, reject: 550, defer: 451 }[decision],
    );
  });

  it('P11: a DMARC fail is accepted where a trusted sealer has seen it pass (RFC 8617)', () => {
    const trusted = {
      sealer: 'list.example',
      instance: 1,
      authorDomain: 'mail.bank.example',
      reason: 'list.example says so',
    };
    const refused = verdicts(spf('fail'), [], fail('reject'));
    const chain = { result: 'pass', sets: [], reason: '' } as const;
    expect(decide({ ...refused, arc: chain }).decision).toBe('reject');
    expect(decide({ ...refused, arc: { ...chain, trusted } })).toMatchObject({
      decision: 'accept',
      rule: expect.stringMatching(/^Accepted: DMARC does not pass here, but list\.example says so/),
    });
  });

  it('P11: refuses with 550 5.7.1, the policy, what was found and what to do', () => {
    expect(decide(verdicts(spf('fail'), [], fail('reject'))).reply).toEqual({
      code: 550,
      enhanced: '5.7.1',
      lines: [
        'Refused as mail.bank.example asks for (DMARC policy "reject", RFC 9989): nothing authenticates this message.',
        'SPF is "fail" for other.example from 192.0.2.1.',
        'DKIM: the message is not signed.',
        'Send from a host that the SPF record permits, or with a DKIM signature of mail.bank.example.',
      ],
    });
  });

  it('P11: defers with 451 4.4.3 and the name that has to be looked up', () => {
    expect(decide(verdicts(spf('temperror'), [], fail('reject'))).reply).toEqual({
      code: 451,
      enhanced: '4.4.3',
      lines: [
        'A DNS look-up that is needed to check the sender failed; please try again later.',
        'It concerns the SPF record of other.example.',
      ],
    });
  });

  it('keeps reply lines within 512 octets for the longest names (RFC 5321 §4.5.3.1.5)', () => {
    const long = `${'a'.repeat(60)}.`.repeat(4).concat('example');
    const refused = decide(
      verdicts(spf('fail', long), [dkim('fail', long)], fail('reject', { domain: long })),
    );
    const deferred = decide(verdicts(spf('temperror', long), [], fail('reject', { domain: long })));
    for (const line of [...(refused.reply?.lines ?? []), ...(deferred.reply?.lines ?? [])]) {
      expect(line.length).toBeLessThanOrEqual(490);
    }
  });
});
