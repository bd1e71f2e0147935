import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../config/load.ts';
import { parseKeyPair } from '../net/key-pair.ts';
import { selfSignedPair } from '../net/self-signed.ts';
import { testAuthority } from '../testing/certificates.ts';
import { readFacts } from './facts.ts';

const now = Date.UTC(2026, 5, 1);
const dayMs = 86_400_000;
const period = { notBefore: now - 10 * dayMs, notAfter: now + 80 * dayMs };
const authority = testAuthority();
const hostname = 'mx.example.com';
const acme = '[acme]\ntermsAgreed = true\n[[listener]]\nprotocol = "http"\n';
const web = '[[listener]]\nprotocol = "https"\n';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'posthorn-records-'));
  mkdirSync(join(directory, 'data', 'acme'), { recursive: true });
});
afterEach(() => rmSync(directory, { recursive: true }));

const factsOf = async (toml: string, at = now) =>
  readFacts(
    await parseConfig(
      `hostname = "${hostname}"\ndataDir = "data"\n${toml}[[domain]]\nname = "example.com"\n`,
      join(directory, 'posthorn.toml'),
    ),
    { addresses: ['192.0.2.1'], now: at },
  );
const lackOf = async (toml: string, at?: number) => (await factsOf(toml, at)).domains[0]?.sts?.lack;
const keysOf = async (toml: string) => (await factsOf(toml)).tlsKeys;

/** As from the authority; returns its key as TLSA has it. */
function issue(names: readonly string[], validity = period): string {
  const { cert, key } = authority.issue(names, validity);
  writeFileSync(join(directory, 'data', 'acme', `${names[0]}.pem`), `${cert}${key}`);
  return parseKeyPair(cert, key).facts.spkiSha256;
}

function configure(file: string, names: readonly string[]): string {
  const { cert, key } = authority.issue(names, period);
  writeFileSync(join(directory, `${file}.pem`), cert);
  writeFileSync(join(directory, `${file}.key`), key);
  return parseKeyPair(cert, key).facts.spkiSha256;
}

const selfSigned = () => selfSignedPair(join(directory, 'data', 'tls', 'self-signed.pem'), hostname, now);

describe('what MTA-STS waits for', () => {
  it('is a certificate for our own name, and for the host of the policy', async () => {
    await selfSigned();
    expect(await lackOf(acme + web)).toMatch(
      /^the certificate for mx\.example\.com is signed by itself, and no certificate of this server is for mta-sts\.example\.com\. .*posthorn tls/,
    );
    issue([hostname]);
    expect(await lackOf(acme + web)).toMatch(/^no certificate of this server is for mta-sts\.example\.com\./);
    issue(['mta-sts.example.com', 'autoconfig.example.com']);
    expect(await lackOf(acme + web)).toBeUndefined();
  });

  it('is another certificate where one is over, or not valid yet', async () => {
    issue([hostname]);
    issue(['mta-sts.example.com']);
    expect(await lackOf(acme + web, period.notAfter + 1)).toMatch(/mx\.example\.com expired 2026-08-20/);
    expect(await lackOf(acme + web, period.notBefore - 1)).toMatch(/mx\.example\.com is not valid before/);
    issue(['mta-sts.example.com'], { ...period, notAfter: now - 1 });
    expect(await lackOf(acme + web)).toMatch(/^the certificate for mta-sts\.example\.com expired/);
  });

  it('is not the certificate of a web server in front, of which nothing is known', async () => {
    configure('own', [hostname]);
    const proxied = '[[listener]]\nprotocol = "http"\naddress = "127.0.0.1"\nproxied = true\n';
    expect(await lackOf(`[tls]\ncert = "own.pem"\nkey = "own.key"\n${proxied}`)).toBeUndefined();
  });

  it('is nothing where one certificate in a file is for all', async () => {
    configure('all', ['*.example.com']);
    const toml = `[tls]\ncert = "all.pem"\nkey = "all.key"\n${web}`;
    expect(await lackOf(toml)).toBeUndefined();
    configure('all', [hostname]);
    expect(await lackOf(toml)).toMatch(/^no certificate .* mta-sts\.example\.com\. Have one come by itself/);
  });
});

describe('the keys of TLSA records', () => {
  it('are that of our own making, and the same when the authority has certified it', async () => {
    const { key, facts } = await selfSigned();
    expect(await keysOf(acme)).toEqual([{ sha256: facts.spkiSha256, role: 'current' }]);
    const sha256 = issue([hostname]);
    expect(await keysOf(acme)).toEqual([{ sha256, role: 'current' }]);
    writeFileSync(join(directory, 'data', 'acme', `${hostname}.next-key.pem`), key);
    expect(await keysOf(acme)).toEqual([
      { sha256, role: 'current' },
      { sha256: facts.spkiSha256, role: 'next' },
    ]);
  });

  it('are not that of a file for another name, where the authority has one for ours', async () => {
    configure('other', ['mail.example.org']);
    const sha256 = issue([hostname]);
    const toml = `${acme}[[certificate]]\ncert = "other.pem"\nkey = "other.key"\n`;
    expect(await keysOf(toml)).toEqual([{ sha256, role: 'current' }]);
  });

  it('are that of the file where it is all that there is', async () => {
    const sha256 = configure('other', ['mail.example.org']);
    expect(await keysOf('[tls]\ncert = "other.pem"\nkey = "other.key"\n')).toEqual([
      { sha256, role: 'current' },
    ]);
  });
});

it('knows for which certificates an authority is asked: those of the web once DNS leads here', async () => {
  const more = '[[certificate]]\nnames = ["mail.example.org", "pop.example.org"]\n';
  const { acme: facts } = await factsOf(`${acme}${web}${more}`);
  expect(facts?.certificates).toEqual([
    { name: hostname, isOptional: false },
    { name: 'mail.example.org', isOptional: false },
    { name: 'mta-sts.example.com', isOptional: true },
  ]);
  configure('all', ['*.example.com']);
  const covered = '[[certificate]]\ncert = "all.pem"\nkey = "all.key"\n';
  expect((await factsOf(`${acme}${web}${covered}`)).acme?.certificates).toEqual([]);
});
