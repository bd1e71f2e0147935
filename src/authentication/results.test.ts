import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { authenticationResults, isForgedResults } from './results.ts';
import type { Verdicts } from './verdicts.ts';

const verdicts: Verdicts = {
  version: 1,
  client: { address: '192.0.2.1', helo: 'mail.example.com' },
  spf: { result: 'pass', domain: 'example.com', scope: 'mailfrom', reason: 'example.com permits 192.0.2.1' },
  dkim: [
    {
      result: 'pass',
      domain: 'example.com',
      selector: 'posthorn',
      algorithm: 'rsa-sha256',
      keyBits: 2048,
      signature: 'abc+/9==',
      aligned: true,
      reason: 'verified',
    },
  ],
  dmarc: {
    result: 'pass',
    domain: 'example.com',
    organizationalDomain: 'example.com',
    policyDomain: 'example.com',
    published: { p: 'reject', sp: 'quarantine', testing: false },
    policies: ['reject'],
    alignment: { spf: 'relaxed', dkim: 'relaxed' },
    aligned: { spf: true, dkim: true },
    reason: 'SPF and DKIM aligned with example.com',
  },
  iprev: { result: 'pass', name: 'mail.example.com', reason: '' },
  lookUps: 7,
  durationMs: 12,
};

const unfold = (field: string): string => field.replace(/\r\n[ \t]+/g, ' ').trimEnd();

describe('authenticationResults()', () => {
  it('tells nobody which resolver of ours failed', () => {
    const reason = 'TXT of example.com: recvmsg ECONNREFUSED (127.0.0.1:53)';
    const spf = { ...verdicts.spf, result: 'temperror', reason } as const;
    const field = unfold(authenticationResults({ ...verdicts, spf }, 'mx.example.net'));
    expect(field).toContain('spf=temperror reason="DNS did not tell"');
    expect(field).not.toContain('127.0.0.1');
  });

  it('P11: writes what was found, folded', () => {
    const field = authenticationResults(verdicts, 'mx.example.net');
    expect(unfold(field)).toBe(
      'Authentication-Results: mx.example.net; spf=pass smtp.mailfrom=example.com; ' +
        'dkim=pass header.d=example.com header.s=posthorn header.a=rsa-sha256 header.b="abc+/9=="; ' +
        'dmarc=pass (p=reject sp=quarantine) header.from=example.com; ' +
        'iprev=pass (mail.example.com) policy.iprev=192.0.2.1',
    );
    expect(field.endsWith('\r\n')).toBe(true);
    expect(Math.max(...field.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(78);
  });

  it('P11: says dkim=none for a message without a signature, and smtp.helo for a null sender', () => {
    const spf = {
      result: 'none',
      domain: 'mail.example.com',
      scope: 'helo',
      reason: 'x has no SPF record',
    } as const;
    const field = unfold(authenticationResults({ ...verdicts, spf, dkim: [] }, 'mx.example.net'));
    expect(field).toContain(
      'spf=none reason="x has no SPF record" smtp.helo=mail.example.com; dkim=none; dmarc',
    );
  });

  it('quotes an IPv6 address', () => {
    const client = { address: '2001:db8::1', helo: '' };
    expect(authenticationResults({ ...verdicts, client }, 'mx.example.net')).toContain(
      'policy.iprev="2001:db8::1"',
    );
  });

  it('leaves out a value that is longer than any name', () => {
    const spf = { ...verdicts.spf, domain: 'x'.repeat(300) };
    expect(authenticationResults({ ...verdicts, spf }, 'mx.example.net')).toContain('spf=pass;');
  });

  it('cannot be broken out of, whatever the verdicts hold', () => {
    const hostile = fc.string({
      unit: fc.constantFrom('"', '\\', ';', '(', ')', '\r', '\n', ' ', 'ü', '=', 'a', '\0'),
    });
    fc.assert(
      fc.property(hostile, hostile, (text, other) => {
        const [signature] = verdicts.dkim;
        const field = authenticationResults(
          {
            ...verdicts,
            spf: { ...verdicts.spf, domain: text, result: 'permerror', reason: other },
            dkim: signature
              ? [{ ...signature, domain: other, selector: text, result: 'neutral', reason: text }]
              : [],
            dmarc: { ...verdicts.dmarc, domain: text, reason: other, result: 'permerror' },
            iprev: { result: 'fail', name: text, reason: other },
          },
          'mx.example.net',
        );
        const bare = unfold(field).replace(/"(?:[^"\\]|\\.)*"/g, '""');
        expect(field).toMatch(/^[\x20-\x7e\t\r\n]*$/);
        expect(bare).not.toMatch(/[\r\n\\]/);
        expect(bare.split(';').map((part) => /^\s*([a-z]+)=/.exec(part)?.[1])).toEqual([
          undefined,
          'spf',
          'dkim',
          'dmarc',
          'iprev',
        ]);
      }),
    );
  });
});

describe('isForgedResults()', () => {
  it.each([
    ['our name', 'mx.example.net; spf=pass', true],
    ['our name in other case', 'MX.Example.NET; spf=pass', true],
    ['our name with a version', 'mx.example.net 1; spf=pass', true],
    ['our name with nothing', 'mx.example.net', true],
    ['our name between comments', '(a (b) \\) c) mx.example.net (d); none', true],
    ['our name as a quoted string', '"mx.\\example.net"; spf=pass', true],
    ['our name with a final dot', 'mx.example.net.; spf=pass', true],
    ['an id that cannot be read, with our name', 'mx.example.net spf=pass', true],
    ['our name with a comment amid it', 'mx.exam(x)ple.net; spf=pass', true],
    ['our name in pieces', '"mx.example" .net; spf=pass', true],
    ['an endless comment before our name', '(mx.example.net; spf=pass', true],
    ['an endless quoted string', '"mx.example.net; spf=pass', true],
    ['no id at all', '; spf=pass', false],
    ['another name', 'mx.example.org; spf=pass', false],
    ['a longer name', 'mx.example.net.example.org; spf=pass', false],
    ['a shorter name', 'example.net; spf=pass', false],
    ['our name elsewhere', 'mx.example.org; spf=pass smtp.helo=mx.example.net', false],
    ['our name in a comment only', '(mx.example.net) mx.example.org; spf=pass', false],
    ['nothing', '', false],
  ])('not-9: %s', (_, value, forged) => {
    expect(isForgedResults(value, 'mx.example.net')).toBe(forged);
  });

  it('reads the longest quoted string that a header can hold', () => {
    for (const text of ['a', '\\a'])
      expect(isForgedResults(`"${text.repeat((16 * 2 ** 20) / text.length)}"`, 'mx.example.net')).toBe(false);
  });

  it('is linear, and removes what we write ourselves', () => {
    fc.assert(
      fc.property(fc.string(), (value) => typeof isForgedResults(value, 'mx.example.net') === 'boolean'),
    );
    for (const unit of ['(', '"', '\\', ' ', '()'])
      expect(isForgedResults(unit.repeat(500_000), 'mx.example')).toBe(false);
    const own = unfold(authenticationResults(verdicts, 'mx.example.net')).replace(/^[^:]*: /, '');
    expect(isForgedResults(own, 'Mx.example.net')).toBe(true);
  });
});
