import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../config/load.ts';
import { testAuthority } from '../testing/certificates.ts';
import { newEcKey } from '../util/certificate-writer.ts';
import { readFacts } from './facts.ts';
import { remedyOf, unusableText } from './unusable-file.ts';
import { wantedRecords } from './wanted.ts';

const authority = testAuthority();
const hostname = 'mx.example.com';
const right = authority.issue([hostname]);
const other = authority.issue([hostname]);
const own = `${right.cert}${right.key}`;
const letsEncrypt = 'https://acme-v02.api.letsencrypt.org/directory';
const ecPem = newEcKey().export({ type: 'pkcs8', format: 'pem' });
const account = JSON.stringify({ key: ecPem, accounts: { [letsEncrypt]: 'https://ca.example/acct/7' } });

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'posthorn-records-'));
  for (const name of ['acme', 'tls']) mkdirSync(join(directory, name));
  write('acme/account.json', account);
});
afterEach(() => rmSync(directory, { recursive: true }));

const write = (name: string, text: string) => writeFileSync(join(directory, name), text);

const acme = '[acme]\ntermsAgreed = true\n';
const files = '[tls]\ncert = "server.pem"\nkey = "server.key"\n';
async function look(tables = acme) {
  const toml = `hostname = "${hostname}"\ndataDir = "."\n${tables}[[listener]]\nprotocol = "http"\n[[domain]]\nname = "example.com"\n`;
  const config = await parseConfig(toml, join(directory, 'posthorn.toml'), { checkCertificates: false });
  const facts = await readFacts(config, { addresses: ['192.0.2.1'], now: Date.now() });
  const purposes = new Set(wantedRecords(facts).map(({ purpose }) => purpose));
  return { facts, purposes };
}

/** What may have become of a file with a certificate and its key. */
const damages: [string, string, RegExp][] = [
  ['half written', own.slice(0, 300), /^cannot be used \(the certificate is no PEM that can be read\)$/],
  ['cut before its key', own.slice(0, right.cert.length), /the private key is no PEM/],
  ['empty', '', /the certificate is no PEM/],
  ['of something else', ecPem.toString(), /the certificate is no PEM/],
  ['with the key of another', `${right.cert}${other.key}`, /private key does not belong to the certificate/],
  ['with half a chain', `${own}-----BEGIN CERTIFICATE-----\nMIIB`, /certificate 2 of its chain is no PEM/],
];

describe('readFacts()', () => {
  it.each(damages)(
    'has all but TLSA where a certificate from the authority is %s',
    async (_, text, problem) => {
      write(`acme/${hostname}.pem`, own);
      const before = await look();
      expect(before.facts.unusable).toEqual([]);
      write(`acme/${hostname}.pem`, text);
      const { facts, purposes } = await look();
      const file = join(directory, `acme/${hostname}.pem`);
      expect(facts.unusable).toEqual([
        { role: 'issued', file, problem: expect.stringMatching(problem), name: hostname },
      ]);
      expect(facts.tlsKeys).toEqual([]);
      expect([...before.purposes].filter((purpose) => !purposes.has(purpose))).toEqual(['dane']);
      expect(facts.domains[0]?.sts?.lack).toContain(`${file} cannot be used`);
    },
  );

  it.each(damages)(
    'has all but TLSA where the one that is signed by itself is %s',
    async (_, text, problem) => {
      write('tls/self-signed.pem', text);
      const { facts, purposes } = await look();
      expect(facts.unusable).toMatchObject([
        { role: 'self-signed', problem: expect.stringMatching(problem) },
      ]);
      expect(purposes).not.toContain('dane');
      expect(purposes).toContain('caa');
      write(`acme/${hostname}.pem`, own);
      expect((await look()).facts.unusable).toEqual([]); // nobody is shown it
    },
  );

  it('names no key of ours where the one to come cannot be read: records that lack it would be wrong', async () => {
    write(`acme/${hostname}.pem`, own);
    write(`acme/${hostname}.next-key.pem`, 'half a k');
    const { facts } = await look();
    expect(facts.unusable).toMatchObject([{ role: 'next-key', problem: expect.stringContaining('no PEM') }]);
    expect(facts.tlsKeys).toEqual([]);
  });

  it.each([
    ['half written', '{"key":', 'is damaged'],
    ['empty', '', 'is damaged'],
    ['of another shape', '{"key":1}', 'is not what was written there'],
    ['with a damaged key', JSON.stringify({ key: 'a key', accounts: {} }), 'is not what was written there'],
    [
      'with the key of a certificate',
      JSON.stringify({ key: authority.issue(['a.example']).cert, accounts: {} }),
      'is not',
    ],
  ])('has all but CAA where the account is %s', async (_, text, problem) => {
    write(`acme/${hostname}.pem`, own);
    const before = await look();
    write('acme/account.json', text);
    const { facts, purposes } = await look();
    expect(facts.unusable).toEqual([
      {
        role: 'account',
        file: join(directory, 'acme/account.json'),
        problem: expect.stringContaining(problem),
      },
    ]);
    expect([...before.purposes].filter((purpose) => !purposes.has(purpose))).toEqual(['caa']);
  });

  it('tells of files of the configuration, too: absent, of another key', async () => {
    const { facts } = await look(files);
    expect(facts.unusable).toMatchObject([
      { role: 'configured', file: join(directory, 'server.pem'), problem: expect.stringContaining('ENOENT') },
    ]);
    write('server.pem', right.cert);
    write('server.key', other.key);
    const { facts: again, purposes } = await look(files);
    expect(again.unusable[0]?.problem).toMatch(
      /^cannot be used with .*server\.key \(the private key does not/,
    );
    expect(purposes).not.toContain('dane');
    expect(purposes).toContain('mx');
    write('server.key', right.key);
    expect((await look(files)).facts.unusable).toEqual([]);
  });

  it.skipIf(process.getuid?.() === 0)('knows what this user may not read', async () => {
    chmodSync(join(directory, 'acme/account.json'), 0o000);
    const [unusable] = (await look()).facts.unusable;
    expect(unusable).toMatchObject({ role: 'account', isForbidden: true });
  });
});

describe('unusableText()', () => {
  const unusable = {
    role: 'issued',
    file: '/acme/a.pem',
    problem: 'cannot be used (why)',
    name: 'a.example',
  } as const;

  it('says what is wrong, what is missing, and what to do', () => {
    expect(unusableText(unusable)).toMatch(
      /^\/acme\/a\.pem cannot be used \(why\): TLSA records are missing .*posthorn tls renew a\.example --force/,
    );
    expect(unusableText({ ...unusable, role: 'account' })).toMatch(
      /the CAA record is missing here\. .*backup.*accounturi/,
    );
  });

  it('does not have somebody throw away what he only may not read', () => {
    expect(remedyOf({ ...unusable, isForbidden: true })).toMatch(/^Ask again as root/);
  });
});
