import { expect, test } from 'vitest';
import type { ZoneData } from '../dns/zone-data.ts';
import {
  address,
  ehloName,
  type LetterOptions,
  letterOf,
  right,
  seenBy,
  without,
} from '../testing/preflight-letter.ts';
import { authenticationFindings } from './authentication.ts';

async function look(zone: ZoneData, options?: LetterOptions) {
  const letter = await letterOf(options);
  return authenticationFindings(letter, await seenBy(letter, zone));
}

const good = {
  dkim: 'dkim-pass good',
  spf: 'spf-pass good',
  ptr: 'ptr-found good',
  dmarc: 'dmarc-pass good',
};
const dmarc = (policy: string): ZoneData => ({ ...right, '_dmarc.example.com': { TXT: [policy] } });
const forged = { 'example.com': { TXT: ['v=spf1 -all'] }, 's._domainkey.example.com': {} };

test.each<[string, ZoneData, Partial<typeof good>, LetterOptions?]>([
  ['nothing', right, {}],
  ['no signature', right, { dkim: 'dkim-unsigned error' }, { signed: false }],
  ['a key that is not published', without('s._domainkey.example.com'), { dkim: 'dkim-permerror error' }],
  [
    'an address that SPF does not permit',
    { ...right, 'example.com': forged['example.com'] },
    { spf: 'spf-fail error' },
  ],
  ['no SPF record', without('example.com'), { spf: 'spf-none warning' }],
  ['no reverse name', without('1.2.0.192.in-addr.arpa'), { ptr: 'ptr-wrong error' }],
  [
    'another reverse name than we say',
    {
      ...{ ...right, '1.2.0.192.in-addr.arpa': { PTR: ['vps.provider.example'] } },
      'vps.provider.example': { A: [address] },
    },
    { ptr: 'ptr-not-ehlo notice' },
  ],
  ['no DMARC record', without('_dmarc.example.com'), { dmarc: 'dmarc-absent warning' }],
  [
    'nothing that is aligned, where the domain asks for nothing',
    { ...dmarc('v=DMARC1; p=none'), ...forged },
    { dkim: 'dkim-permerror error', spf: 'spf-fail error', dmarc: 'dmarc-fail warning' },
  ],
  [
    'nothing that is aligned, where the domain asks to refuse it',
    { ...dmarc('v=DMARC1; p=reject'), ...forged },
    { dkim: 'dkim-permerror error', spf: 'spf-fail error', dmarc: 'dmarc-fail error' },
  ],
  [
    'an SPF record that cannot be read',
    { ...right, 'example.com': { TXT: ["v=spf1 mx ~all'"] } },
    { spf: 'spf-permerror warning' },
  ],
])('authenticationFindings() finds %s', async (_, zone, expected, options) => {
  const found = await look(zone, options);
  expect(found.map(({ id, severity }) => `${id} ${severity}`)).toEqual(
    Object.values({ ...good, ...expected }),
  );
  // What is wrong breaks a rule that somebody has published, and can be mended.
  for (const { severity, rule, remedy } of found) {
    if (severity === 'good') continue;
    expect(rule?.source).toMatch(/^RFC \d+ §|^support\.google\.com/);
    expect(remedy).toMatch(/\.$|"\.$/);
  }
});

test('authenticationFindings() tells a signature that verifies from one that is aligned with From', async () => {
  const letter = await letterOf();
  const [seen] = await seenBy(letter, right);
  if (seen === undefined) throw new Error('it is seen from one address');
  const dkim = seen.verdicts.dkim.map((each) => ({ ...each, aligned: false }));
  const found = authenticationFindings(letter, [{ ...seen, verdicts: { ...seen.verdicts, dkim } }]);
  expect(found[0]).toMatchObject({ id: 'dkim-not-aligned', severity: 'notice' });
});

test('authenticationFindings() says that nothing is known where it may leave from nowhere', async () => {
  expect(authenticationFindings(await letterOf(), [])).toMatchObject([{ id: 'address-unknown' }]);
  expect(ehloName).toBe('mx.example.com');
});

test('authenticationFindings() does not ask to permit an address in an SPF record that cannot be read', async () => {
  const found = await look({ ...right, 'example.com': { TXT: ["v=spf1 mx ~all'"] } });
  expect(found.find(({ id }) => id === 'spf-permerror')).toMatchObject({
    remedy: expect.stringMatching(/^Mend the SPF record of example\.com/),
  });
});
