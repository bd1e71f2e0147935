import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { checkSender } from '../authentication/check.ts';
import { createSigner } from '../authentication/dkim-sign.ts';
import { knownSites } from '../delivery/route/known-sites.ts';
import type { ZoneData } from '../dns/zone-data.ts';
import { parseAddress } from '../mail/address.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { scriptedResolver } from '../testing/scripted-resolver.ts';
import type { Seen } from './authentication.ts';
import { ruleFindings } from './bulk.ts';
import { type Letter, readLetter } from './letter.ts';
import { knownReceivers } from './receiver-rules.ts';

const clock = fakeClock(Date.parse('2026-11-28T12:00:00Z'));
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const p = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64');
const signer = createSigner({ domain: 'example.com', selector: 's', privateKeyPem, clock });

const address = '192.0.2.1';
const right: ZoneData = {
  'example.com': { TXT: [`v=spf1 ip4:${address} -all`] },
  's._domainkey.example.com': { TXT: [`v=DKIM1; k=ed25519; p=${p}`] },
  '_dmarc.example.com': { TXT: ['v=DMARC1; p=none'] },
  '1.2.0.192.in-addr.arpa': { PTR: ['mx.example.com'] },
  'mx.example.com': { A: [address] },
};
const without = (...names: string[]): ZoneData =>
  Object.fromEntries(Object.entries(right).filter(([name]) => !names.includes(name)));

async function letterOf(fields = '', signed = true): Promise<Letter> {
  const octets = Buffer.from(`From: a@example.com\nTo: b@example.net\nSubject: Hi\n${fields}\nHello\n`);
  const to = parseAddress('b@example.net') ?? expect.unreachable();
  const signers = new Map(signed ? [['example.com', signer]] : []);
  return readLetter({ signers, hostname: 'mx.example.com', now: clock.now() }, { octets, to });
}

async function seen(letter: Letter, zone: ZoneData): Promise<Seen[]> {
  const sender = { clientAddress: address, helo: 'mx.example.com', reversePath: letter.reversePath };
  const parts = { resolver: scriptedResolver(zone), clock };
  const verdicts = await checkSender(parts, { ...sender, message: letter.sent });
  return [{ from: { publicAddress: address, ehloName: 'mx.example.com' }, verdicts }];
}

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
  const letter = await letterOf(fields, signed);
  const evidence = { letter, seen: await seen(letter, zone), receiver: { findings: [], site, encrypted } };
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
  const found = ruleFindings({ letter, seen: await seen(letter, zone), receiver, sentToday: 12 });
  expect(found.find(({ id }) => id === 'rule-dmarc-aligned')).toMatchObject({
    severity: 'warning',
    fact: 'DMARC does not pass from 192.0.2.1. It holds for who sends 5000 messages and more in a day.',
    rule: { since: '2025-05-05', text: expect.stringContaining('550 5.7.515') },
  });
  expect(found.find(({ id }) => id === 'rate')?.fact).toContain('12 messages were delivered to Outlook.com');
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
