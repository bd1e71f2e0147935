import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createSigner } from '../authentication/dkim-sign.ts';
import { authorDomain } from '../mail/author-domain.ts';
import { parseHeader } from '../mail/header.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { startSigning } from './signing.ts';

const { privateKey } = generateKeyPairSync('ed25519');
const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const signerFor = (domain: string) =>
  createSigner({ domain, selector: 's1', privateKeyPem, clock: fakeClock() });
const signers = new Map(['example.com', 'example.org'].map((domain) => [domain, signerFor(domain)]));

const authorOf = (fields: string): string | undefined =>
  authorDomain(parseHeader(Buffer.from(`${fields}\r\n\r\n`)));

describe('authorDomain()', () => {
  test.each([
    ['From: Bob <bob@Example.com>', 'example.com'],
    ['From: "a@evil.example" <bob@example.com>', 'example.com'],
    ['From: =?utf-8?q?a=40evil.example?= <bob@example.com>', 'example.com'],
    ['From: bob@bücher.example', 'xn--bcher-kva.example'],
    ['Subject: no author', undefined],
    ['From: broken <', undefined],
  ])('of %j is %s', (fields, domain) => {
    expect(authorOf(fields)).toBe(domain);
  });
});

describe('startSigning()', () => {
  test("M9: signs with the key of the author's domain, and tells the dossier which", async () => {
    const signing = startSigning(signers, 'example.org');
    signing?.onBody(Buffer.from('Hello.\r\n'));
    const signature = await signing?.sign(Buffer.from('From: bob@example.org\r\n\r\n'));
    expect(signature?.field).toMatch(/^DKIM-Signature: /);
    expect(signature?.field.replace(/\s+/g, '')).toContain('d=example.org;');
    expect(signature?.event(5, 'Q1')).toMatchObject({
      at: 5,
      queueId: 'Q1',
      event: 'signed',
      data: { domain: 'example.org', selector: 's1' },
    });
  });

  test.each(['sub.example.com', 'example.net', undefined])('signs nothing for %s', (domain) => {
    expect(startSigning(signers, domain)).toBeUndefined();
  });
});
