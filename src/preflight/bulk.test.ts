import { expect, test } from 'vitest';
import { knownSites } from '../delivery/route/known-sites.ts';
import type { ZoneData } from '../dns/zone-data.ts';
import { letterOf, right, seenBy, without } from '../testing/preflight-letter.ts';
import { ruleFindings } from './bulk.ts';
import { knownReceivers } from './receiver-rules.ts';

interface Case {
  zone?: ZoneData;
  fields?: string;
  signed?: boolean;
  site?: string;
  sentToday?: number;
  encrypted?: boolean;
}

async function rulesBroken({
  zone = right,
  fields,
  signed,
  site = 'google.com',
  sentToday,
  encrypted = true,
}: Case) {
  const letter = await letterOf({ fields, signed });
  const evidence = { letter, seen: await seenBy(letter, zone), receiver: { findings: [], site, encrypted } };
  return ruleFindings({ ...evidence, ...(sentToday !== undefined && { sentToday }) })
    .filter(({ id }) => id.startsWith('rule-'))
    .map(({ id, severity }) => `${id.slice(5)} ${severity}`);
}

const oneClick =
  'List-Unsubscribe: <https://example.com/u>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n';

test.each<[string, Case, string[]]>([
  ['nothing', { fields: oneClick }, []],
  ['no rule of a receiver that has none', { site: 'example.net', zone: {} }, []],
  ['no link, of a letter', {}, ['one-click-unsubscribe notice']],
  ['no link, of a list', { fields: 'List-Id: <l.example.com>\n' }, ['one-click-unsubscribe warning']],
  [
    'no link, of a list, by somebody who sends much',
    { fields: 'List-Id: <l.example.com>\n', sentToday: 5000 },
    ['one-click-unsubscribe error'],
  ],
  [
    'a link by mail only',
    { fields: 'List-Unsubscribe: <mailto:u@example.com>\n' },
    ['one-click-unsubscribe warning'],
  ],
  [
    'a link without the field that makes it one click',
    { fields: 'List-Unsubscribe: <https://example.com/u>\n' },
    ['one-click-unsubscribe warning'],
  ],
  [
    'no signature',
    { signed: false, fields: oneClick },
    ['spf-and-dkim warning', 'one-click-unsubscribe warning'],
  ],
  ['no SPF', { zone: without('example.com'), fields: oneClick }, ['spf-and-dkim warning']],
  [
    'neither',
    { zone: without('example.com', 's._domainkey.example.com'), fields: oneClick },
    ['spf-or-dkim error', 'spf-and-dkim warning', 'dmarc-aligned warning'],
  ],
  ['no DMARC', { zone: without('_dmarc.example.com'), fields: oneClick }, ['dmarc-aligned warning']],
  ['no PTR', { zone: without('1.2.0.192.in-addr.arpa'), fields: oneClick }, ['reverse-dns error']],
  ['no TLS', { encrypted: false, fields: oneClick }, ['tls error']],
  ['a program', { fields: `${oneClick}Content-Type: application/x; name="a.exe"\n` }, ['attachments error']],
  [
    'no DMARC at Outlook, by somebody who sends much',
    { site: 'olc.protection.outlook.com', zone: without('_dmarc.example.com'), sentToday: 6000 },
    ['dmarc-aligned error'],
  ],
])('ruleFindings() tells that a letter breaks %s', async (_, given, broken) => {
  expect(await rulesBroken(given)).toEqual(broken);
});

test('ruleFindings() names the rule, its source and its day, and what the receiver answers', async () => {
  const letter = await letterOf();
  const zone = without('_dmarc.example.com');
  const receiver = { findings: [], site: 'olc.protection.outlook.com', encrypted: true };
  const found = ruleFindings({ letter, seen: await seenBy(letter, zone), receiver, sentToday: 12 });
  expect(found.find(({ id }) => id === 'rule-dmarc-aligned')).toMatchObject({
    severity: 'warning',
    fact: 'DMARC does not pass from 192.0.2.1. It holds for who sends 5000 messages and more in a day.',
    rule: { since: '2025-05-05', text: expect.stringContaining('550 5.7.515') },
  });
  expect(found.find(({ id }) => id === 'rate')?.fact).toContain('12 messages were delivered to Outlook.com');
  // What nobody can measure is said to be so, and what was not counted.
  expect(found.find(({ id }) => id === 'not-measured')?.fact).toContain('SNDS');
  const uncounted = ruleFindings({ letter, seen: await seenBy(letter, zone), receiver });
  expect(uncounted.find(({ id }) => id === 'rate-unknown')?.fact).toContain('is not known');
});

test('every receiver with rules is one whose hosts are known, and every rule has a source', () => {
  for (const { site, rules } of knownReceivers) {
    expect(knownSites.some(({ mx }) => mx[0] === site)).toBe(true);
    for (const { source, since } of rules) {
      expect(source).not.toBe('');
      if (since !== undefined) expect(Number.isNaN(Date.parse(since))).toBe(false);
    }
  }
});
