import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dkimRecord, generateDkimKey } from '../authentication/dkim-key.ts';
import { parseConfig } from '../config/load.ts';
import { policyId } from '../mta-sts/serve.ts';
import { selfSignedPair } from '../net/self-signed.ts';
import { testAuthority } from '../testing/certificates.ts';
import { readFacts } from './facts.ts';

const directory = mkdtempSync(join(tmpdir(), 'posthorn-records-'));
afterAll(() => rmSync(directory, { recursive: true }));

const known = { now: Date.now(), addresses: ['192.0.2.1', '2001:db8::1'] };
const factsOf = async (toml: string, more = known) =>
  readFacts(
    await parseConfig(`hostname = "mx.example.com"\n${toml}`, join(directory, 'posthorn.toml')),
    more,
  );

let keys: string[];
beforeAll(async () => {
  keys = [await generateDkimKey('rsa'), await generateDkimKey('ed25519')];
  keys.forEach((key, index) => {
    writeFileSync(join(directory, `k${index}.pem`), key);
  });
});

it('has the records of all DKIM keys of a domain', async () => {
  const { domains } = await factsOf(
    '[[domain]]\nname = "example.com"\ndkim = [{ selector = "a", key = "k0.pem" }, { selector = "b", key = "k1.pem" }]',
  );
  expect(domains[0]?.dkim).toEqual([
    { selector: 'a', type: 'rsa', record: dkimRecord(keys[0] ?? '').value },
    { selector: 'b', type: 'ed25519', record: dkimRecord(keys[1] ?? '').value },
  ]);
});

it('has the key of the certificate', async () => {
  const { cert, key } = testAuthority().issue(['mx.example.com']);
  writeFileSync(join(directory, 'c.pem'), cert);
  writeFileSync(join(directory, 'c.key'), key);
  const { tlsKeys } = await factsOf('[tls]\ncert = "c.pem"\nkey = "c.key"');
  const info = new X509Certificate(readFileSync(join(directory, 'c.pem'))).publicKey.export({
    type: 'spki',
    format: 'der',
  });
  expect(tlsKeys).toEqual([{ sha256: createHash('sha256').update(info).digest('hex'), role: 'current' }]);
});

it('has the key of the certificate of our own making where [tls] is empty, once it is there', async () => {
  expect((await factsOf('dataDir = "own"\n[tls]')).tlsKeys).toEqual([]);
  const file = join(directory, 'own', 'tls', 'self-signed.pem');
  const { facts } = await selfSignedPair(file, 'mx.example.com', Date.now());
  expect((await factsOf('dataDir = "own"\n[tls]')).tlsKeys).toEqual([
    { sha256: facts.spkiSha256, role: 'current' },
  ]);
});

it('takes the addresses of the machine where the configuration names none', async () => {
  const { addresses, sending } = await factsOf('');
  expect(addresses).toEqual(known.addresses);
  expect(sending).toEqual(
    known.addresses.map((address) => ({ address, ehloName: 'mx.example.com', senders: [] })),
  );
});

it.each([
  ['::', known.addresses],
  ['0.0.0.0', ['192.0.2.1']],
  ['2001:db8::1', ['2001:db8::1']],
])('takes mail where port 25 listens: %s', async (address, expected) => {
  expect((await factsOf(`[[listener]]\nprotocol = "smtp"\naddress = "${address}"`)).addresses).toEqual(
    expected,
  );
});

it('behind NAT goes by the public address that the source names', async () => {
  const source =
    '[[source]]\naddress = "10.0.0.5"\npublicAddress = "192.0.2.7"\nehloName = "out.example.com"\n';
  const { addresses, sending } = await factsOf(`${source}[[listener]]\nprotocol = "smtp"`, {
    addresses: [],
    now: known.now,
  });
  expect(addresses).toEqual(['192.0.2.7']);
  expect(sending).toEqual([{ address: '192.0.2.7', ehloName: 'out.example.com', senders: [] }]);
});

it('knows by which servers the mail of a domain leaves', async () => {
  const domain = '[[domain]]\nname = "example.com"\n[[domain]]\nname = "example.org"\n';
  const transport = (host: string, more = '') =>
    `[[transport]]\ndomains = ["*"]\nprotocol = "smtp"\nhost = "${host}"\n${more}\n`;
  const { domains } = await factsOf(
    `${domain}${transport('all.example')}${transport('org.example', 'senders = ["example.org"]')}`,
  );
  expect(domains.map(({ relays }) => relays)).toEqual([['all.example'], ['org.example']]);
});

it('tells mail programs of what they can reach, on its port', async () => {
  const tls = '[tls]\ncert = "c.pem"\nkey = "c.key"\n';
  const { clients } = await factsOf(
    `${tls}[[listener]]\nprotocol = "submissions"\nport = 4650\n[[listener]]\nprotocol = "pop3"\naddress = "127.0.0.1"\nallowPlaintextAuth = true`,
  );
  expect(clients).toEqual({ submissions: 4650 });
});

it('knows what the web listeners serve, and the policy of a domain by its id', async () => {
  const domain = '[[domain]]\nname = "example.com"\nmtaSts = { mode = "enforce" }\n';
  const policy = { mode: 'enforce', mx: ['mx.example.com'], maxAge: 14 * 24 * 3600 } as const;
  const alone = await factsOf(`${domain}[[listener]]\nprotocol = "http"`);
  expect(alone.domains[0]?.sts?.policyId).toBe(policyId(policy));
  expect(alone.web).toEqual([]);
  const behind = await factsOf('[[listener]]\nprotocol = "http"\naddress = "127.0.0.1"\nproxied = true');
  expect(behind.web).toEqual(['mta-sts', 'autoconfig', 'autodiscover']);
});
