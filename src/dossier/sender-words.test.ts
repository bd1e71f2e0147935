import { expect, test } from 'vitest';
import { checkSender } from '../authentication/check.ts';
import { dkimRecord, generateDkimKey } from '../authentication/dkim-key.ts';
import { createSigner } from '../authentication/dkim-sign.ts';
import { signMessage } from '../authentication/sign-message.ts';
import type { Facts } from '../policy/facts.ts';
import { scriptedResolver } from '../testing/scripted-resolver.ts';
import { systemClock } from '../util/clock.ts';
import { senderWords } from './sender-words.ts';

const client = { address: '192.0.2.1', helo: 'mail.example.com' };

test('P11: senderWords() names the record or the name by which each verdict was found', async () => {
  const privateKeyPem = await generateDkimKey('ed25519');
  const signer = createSigner({ domain: 'example.com', selector: 's', privateKeyPem, clock: systemClock });
  const key = dkimRecord(privateKeyPem).value;
  const resolver = scriptedResolver({
    'example.com': { TXT: ['v=spf1 include:other.example -all'] },
    'other.example': { TXT: ['v=spf1 ip4:192.0.2.0/24 ?all'] },
    's._domainkey.example.com': { TXT: [key] },
    '_dmarc.example.com': { TXT: ['v=DMARC1; p=reject'] },
    '1.2.0.192.in-addr.arpa': { PTR: ['mail.example.com'] },
    'mail.example.com': { A: ['192.0.2.1'] },
  });
  const letter = 'From: a@example.com\r\n\r\nHello.\r\n';
  const message = Buffer.from((await signMessage(signer, Buffer.from(letter))) + letter);
  const sender = { clientAddress: client.address, helo: client.helo, reversePath: 'a@example.com' };
  const { spf, dkim, dmarc, iprev, arc } = await checkSender(
    { resolver, clock: systemClock },
    { ...sender, message },
  );
  const facts: Facts = {
    version: 1,
    client,
    reversePath: 'a@example.com',
    spf,
    dkim,
    dmarc,
    iprev,
    ...(arc && { arc }),
  };
  expect(senderWords(facts)).toEqual([
    'SPF: example.com permits 192.0.2.1 by include:other.example, there ip4:192.0.2.0/24 (record of other.example: v=spf1 ip4:192.0.2.0/24 ?all)',
    `DKIM of example.com, selector s: verified (key of 256 bits: ${key})`,
    'DMARC: SPF and DKIM aligned with example.com (record of example.com: v=DMARC1; p=reject)',
    'reverse name: mail.example.com has the address 192.0.2.1',
  ]);
});

test('senderWords() tells where a DMARC record was looked for, and of a chain by whom it is believed', () => {
  const dmarc = {
    result: 'none',
    domain: 'a.example',
    policies: [],
    aligned: { spf: false, dkim: false },
    asked: ['a.example', 'example'],
    reason: 'no DMARC record applies to a.example',
  } as const;
  const trusted = {
    sealer: 'l.example',
    instance: 1,
    authorDomain: 'a.example',
    reason: 'l.example says so',
  };
  const arc = { result: 'pass', sets: [], reason: 'sealed by l.example', trusted } as const;
  expect(senderWords({ version: 1, client, reversePath: '', dmarc, arc })).toEqual([
    'ARC: pass, sealed by l.example; l.example says so',
    'DMARC: no DMARC record applies to a.example (asked for: _dmarc.a.example, _dmarc.example)',
  ]);
  expect(senderWords({ version: 1, client, reversePath: '' })).toEqual([]);
});

test('senderWords() tells of SPF of the HELO name apart, and whose words an explanation is', () => {
  const spf = {
    result: 'fail',
    scope: 'mailfrom',
    domain: 'a.example',
    record: 'v=spf1 -all exp=b.example',
    recordDomain: 'a.example',
    explanation: 'Call us.',
    reason: 'a.example does not permit 192.0.2.1 by -all',
  } as const;
  const spfHelo = {
    result: 'none',
    scope: 'helo',
    domain: 'mail.example.com',
    reason: 'mail.example.com has no SPF record',
  } as const;
  expect(senderWords({ version: 1, client, reversePath: 'x@a.example', spf, spfHelo })).toEqual([
    'SPF: a.example does not permit 192.0.2.1 by -all (record of a.example: v=spf1 -all exp=b.example)',
    'in the words of a.example, which nobody has checked: "Call us."',
    'SPF of HELO: mail.example.com has no SPF record',
  ]);
});
