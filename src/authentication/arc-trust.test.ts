import { describe, expect, test } from 'vitest';
import { dmarcPass, findTrust } from './arc-trust.ts';

describe('dmarcPass()', () => {
  test.each([
    ['mx.example; dmarc=pass header.from=example.com', 'example.com'],
    ['mx.example; spf=pass; dmarc=pass (p=reject; sp=none) header.from="Example.COM"; x=y', 'example.com'],
    ['mx.example; dmarc/1 = pass header.from=a@example.com', 'example.com'],
    ['mx.example; dmarc=pass reason="a header.from=bank.example" header.from=example.com', 'example.com'],
    ['mx.example; dmarc=pass reason="a header.from=bank.example"', undefined],
    ['mx.example; dmarc=pass', undefined],
  ])('reads %s', (text, domain) => {
    expect(dmarcPass(text)).toEqual({ domain });
  });

  test.each([
    ['a failure', 'mx.example; dmarc=fail header.from=example.com'],
    ['a word that begins alike', 'mx.example; dmarc=passed header.from=example.com'],
    ['what is quoted', 'mx.example; spf=fail reason="x; dmarc=pass header.from=example.com"'],
    ['what is behind an escaped quote', 'mx.example; spf=fail reason="\\"; dmarc=pass"'],
    ['a comment', 'mx.example; (dmarc=pass header.from=example.com)'],
    ['a comment between semicolons', 'mx.example; spf=fail (; dmarc=pass; (a) )'],
    ['two answers', 'mx.example; dmarc=pass; dmarc=fail'],
    ['another method', 'mx.example; x-dmarc=pass header.from=example.com'],
    ['nothing', ''],
  ])('does not take %s for a pass', (_, text) => {
    expect(dmarcPass(text)).toBeUndefined();
  });
});

const pass = 'mx; dmarc=pass header.from=example.com';
const fail = 'mx; dmarc=fail header.from=example.com';
const set = (instance: number, domain: string, results: string, isUnchanged = true) => ({
  instance,
  domains: [domain, domain],
  isUnchanged,
  results,
});
const trust = { sealers: ['list.example', 'relay.example'], authorDomain: 'example.com' };

describe('findTrust()', () => {
  test('believes a trusted sealer, through others that are trusted', () => {
    expect(findTrust([set(1, 'list.example', pass)], trust)).toMatchObject({
      sealer: 'list.example',
      instance: 1,
      authorDomain: 'example.com',
    });
    const chain = [set(2, 'relay.example', fail), set(1, 'list.example', pass)];
    expect(findTrust(chain, trust)?.reason).toBe(
      'list.example, a trusted sealer, found that DMARC passed for example.com (ARC set 1)',
    );
  });

  test('believes nobody by default', () => {
    expect(findTrust([set(1, 'list.example', pass)], { ...trust, sealers: [] })).toBeUndefined();
  });

  test('does not believe what a stranger says in an older set, or what was said before a stranger', () => {
    expect(findTrust([set(2, 'list.example', fail), set(1, 'evil.example', pass)], trust)).toBeUndefined();
    expect(findTrust([set(2, 'evil.example', pass), set(1, 'list.example', pass)], trust)).toBeUndefined();
  });

  test('believes neither another author, nor a message signed by another than the sealer', () => {
    expect(
      findTrust([set(1, 'list.example', pass)], { ...trust, authorDomain: 'other.example' }),
    ).toBeUndefined();
    const foreign = { ...set(1, 'list.example', pass), domains: ['list.example', 'evil.example'] };
    expect(findTrust([foreign], trust)).toBeUndefined();
  });

  test('a pass for a domain that is not named counts only where From was what it is now', () => {
    expect(findTrust([set(1, 'list.example', 'mx; dmarc=pass')], trust)).toBeDefined();
    expect(findTrust([set(1, 'list.example', 'mx; dmarc=pass', false)], trust)).toBeUndefined();
  });
});
