import { expect, test } from 'vitest';
import type { Verdicts } from '../authentication/verdicts.ts';
import { parseHeader } from '../mail/header.ts';
import { reportable, type SeenMessage } from './dmarc-message.ts';

type Dmarc = Verdicts['dmarc'];

const failing: Dmarc = {
  result: 'fail',
  domain: 'mail.a.example',
  policyDomain: 'a.example',
  published: { p: 'reject', testing: false },
  policies: ['reject'],
  alignment: { spf: 'relaxed', dkim: 'strict' },
  aligned: { spf: false, dkim: false },
  record: 'v=DMARC1; p=reject; rua=mailto:d@a.example',
  reason: '',
};
const passing: Dmarc = { ...failing, result: 'pass', aligned: { spf: true, dkim: false } };

function seen(dmarc: Dmarc, changes: Partial<SeenMessage> = {}, arc?: object): SeenMessage {
  const signature = (domain: string, result: string, aligned = false) => ({
    domain,
    result,
    aligned,
    selector: 's',
  });
  const verdicts = {
    client: { address: '192.0.2.1', helo: 'x' },
    spf: { result: 'pass', domain: 'a.example', scope: 'mailfrom' },
    dkim: [
      signature('b.example', 'fail'),
      signature('c.example', 'pass'),
      signature('a.example', 'pass', true),
      signature('', 'policy'),
    ],
    dmarc,
    ...arc,
  };
  return {
    verdicts: verdicts as unknown as Verdicts, // as much of them as is looked at
    reversePath: 'bounces@a.example',
    header: parseHeader(Buffer.from('Subject: hello\r\n\r\n')),
    outcome: 'accept',
    ...changes,
  };
}

test('reportable() says what was found, and of whom', () => {
  expect(reportable(seen(passing))).toEqual({
    domain: 'a.example',
    policy: { domain: 'a.example', p: 'reject', adkim: 's', aspf: 'r', testing: false },
    message: {
      source: '192.0.2.1',
      disposition: 'pass',
      reasons: [],
      dkimAligned: false,
      spfAligned: true,
      headerFrom: 'mail.a.example',
      envelopeFrom: 'a.example',
      dkim: [
        { domain: 'a.example', selector: 's', result: 'pass' },
        { domain: 'c.example', selector: 's', result: 'pass' },
        { domain: 'b.example', selector: 's', result: 'fail' },
      ],
      spf: [{ domain: 'a.example', scope: 'mfrom', result: 'pass' }],
    },
  });
});

const testing = {
  ...failing,
  published: { p: 'reject' as const, testing: true },
  policies: ['quarantine' as const],
};
test.each([
  ['refused, as is asked', failing, 'reject', 'reject', []],
  ['in Junk, where a refusal is asked', failing, 'junk', 'quarantine', ['local_policy']],
  ['taken, where a refusal is asked', failing, 'accept', 'none', ['local_policy']],
  ['refused for something else', { ...failing, policies: ['none' as const] }, 'reject', 'none', []],
  ['in Junk for something else', passing, 'junk', 'pass', []],
  ['a test', testing, 'junk', 'quarantine', ['policy_test_mode']],
  ['a pass without a policy', { ...passing, policies: ['none' as const] }, 'accept', 'none', []],
] as const)('reportable() of %s', (_, dmarc, outcome, disposition, reasons) => {
  const { message } = reportable(seen(dmarc, { outcome })) ?? {};
  expect([message?.disposition, message?.reasons.map(({ type }) => type)]).toEqual([disposition, reasons]);
});

test('reportable() tells of a chain that is believed', () => {
  const { message } = reportable(seen(failing, {}, { arc: { trusted: {} } })) ?? {};
  expect(message?.reasons).toEqual([{ type: 'trusted_forwarder', comment: 'arc=pass' }]);
});

test.each([
  ['no record', { ...failing, policyDomain: undefined, published: undefined, result: 'none' }],
  ['a record that asks for nothing', { ...failing, record: 'v=DMARC1; p=reject' }],
  ['an open question', { ...failing, result: 'temperror' }],
])('reportable() is nothing with %s', (_, dmarc) => {
  expect(reportable(seen(dmarc as Dmarc))).toBeUndefined();
});

test('reportable() is nothing for a report', () => {
  const header = parseHeader(Buffer.from('Subject: Report Domain: x Submitter: y\r\n\r\n'));
  expect(reportable(seen(failing, { header }))).toBeUndefined();
});
