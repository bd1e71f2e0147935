import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testAuthority } from '../testing/certificates.ts';
import { coversName, findFaults, parseKeyPair, readKeyPair } from './key-pair.ts';

const authority = testAuthority();
const hourMs = 3_600_000;

describe('parseKeyPair()', () => {
  it('tells what a certificate says of itself', () => {
    const [notBefore, notAfter] = [Date.UTC(2026, 0, 1), Date.UTC(2026, 2, 1)];
    const { cert, key } = authority.issue(['MX.example.com', '*.example.net'], { notBefore, notAfter });
    expect(parseKeyPair(cert, key).facts).toEqual({
      names: ['mx.example.com', '*.example.net'],
      notBefore,
      notAfter,
      issuer: 'Posthorn test authority',
      isSelfSigned: false,
      spkiSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('knows a certificate that is signed by itself', () => {
    const { cert, key } = authority.issue(['mx.example.com']);
    expect(parseKeyPair(cert, key).facts.isSelfSigned).toBe(false);
    expect(() => parseKeyPair(authority.cert, key)).toThrow('does not belong');
  });

  it.each([
    ['half a certificate', (pem: string) => pem.slice(0, 200), 'the certificate is no PEM'],
    ['nothing', () => '', 'the certificate is no PEM'],
  ])('refuses %s', (_, spoil, message) => {
    const { cert, key } = authority.issue(['mx.example.com']);
    expect(() => parseKeyPair(spoil(cert), key)).toThrow(message);
    expect(() => parseKeyPair(cert, spoil(key))).toThrow('the private key is no PEM');
  });
});

it('parseKeyPair() refuses a chain that is damaged behind the certificate: TLS would not take it', () => {
  const { cert, key } = authority.issue(['mx.example.com']);
  for (const rest of [authority.cert.slice(0, 200), authority.cert.replace(/\nMI/, '\nAA')])
    expect(() => parseKeyPair(`${cert}${rest}`, key)).toThrow('certificate 2 of its chain is no PEM');
  expect(parseKeyPair(`${cert}${authority.cert}`, key).facts.names).toEqual(['mx.example.com']);
});

describe('readKeyPair()', () => {
  it.each([
    ['a file that is not there', 'own.pem', 'missing.key', 'missing.key'],
    ["another certificate's key", 'own.pem', 'other.key', 'other.key: the private key does not belong'],
    ['a certificate that is none', 'own.key', 'own.key', 'Cannot use certificate'],
  ])('names the file in question for %s', async (_, cert, key, named) => {
    const directory = await mkdtemp(join(tmpdir(), 'posthorn-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const [own, other] = [authority.issue(['mx.example.com']), authority.issue(['other.example'])];
    await writeFile(join(directory, 'own.pem'), own.cert);
    await writeFile(join(directory, 'own.key'), own.key);
    await writeFile(join(directory, 'other.key'), other.key);
    await expect(readKeyPair({ cert: join(directory, cert), key: join(directory, key) })).rejects.toThrow(
      named,
    );
  });
});

it.each([
  ['mx.example.com', true],
  ['a.example.net', true],
  ['a.b.example.net', false],
  ['example.net', false],
  ['com', false],
])('coversName() finds %s: %s', (name, covered) => {
  expect(coversName(['mx.example.com', '*.example.net'], name)).toBe(covered);
});

describe('findFaults()', () => {
  const now = Date.UTC(2026, 5, 1, 12);
  const facts = {
    names: ['mx.example.com'],
    issuer: 'somebody',
    isSelfSigned: false,
    spkiSha256: '',
    notBefore: now - hourMs,
    notAfter: now + hourMs,
  };

  it('finds none in a certificate that is in order', () => {
    expect(findFaults(facts, now)).toEqual([]);
  });

  it('says since when a certificate is expired', () => {
    expect(findFaults(facts, now + 2 * hourMs)).toEqual([
      'it expired 2026-06-01 13:00 UTC; mail programs and servers that verify will refuse it',
    ]);
  });

  it('asks about the clock where a certificate is not valid yet', () => {
    expect(findFaults(facts, now - 2 * hourMs)).toEqual([
      'it is not valid before 2026-06-01 11:00 UTC, within the hour: is the clock of this machine right (2026-06-01 10:00 UTC)?',
    ]);
    expect(findFaults(facts, now - 4 * hourMs)[0]).toContain('3 hours from now');
  });

  it('warns of one that is signed by itself', () => {
    expect(findFaults({ ...facts, isSelfSigned: true }, now)).toEqual([
      'it is signed by itself: mail programs will warn of it',
    ]);
  });
});
