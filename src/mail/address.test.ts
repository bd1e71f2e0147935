import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { addressKey, formatAddress, needsSmtputf8, parseAddress } from './address.ts';

const readJson = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../testdata/address/${name}`, import.meta.url), 'utf8'));

const isemail: { id: string; address: string; smtp: 'valid' | 'invalid' | 'either'; diagnosis: string }[] =
  readJson('isemail.json');
const mox: { address: string; valid: boolean; comment: string | null }[] = readJson('mox.json');

/** Where the suite leaves the choice, ours: `true` is taken, with the reason. */
const choices: Record<string, { taken: boolean; reason: string }> = {
  23: { taken: false, reason: 'a name that ends in digits only looks like an IPv4 address (RFC 3696 §2)' },
  24: { taken: false, reason: 'a name that ends in digits only looks like an IPv4 address (RFC 3696 §2)' },
  71: { taken: false, reason: 'RFC 5321 §4.1.3: `::` stands for at least two groups' },
  166: { taken: true, reason: 'intranets have domains of one label' },
};

describe('suite address: isemail', () => {
  test.each(isemail)('suite address: $id $diagnosis is $smtp', ({ id, address, smtp }) => {
    const taken = smtp === 'either' ? choices[id]?.taken : smtp === 'valid';
    expect(parseAddress(address) !== undefined).toBe(taken);
  });
});

describe('suite address: mox', () => {
  test.each(mox)('suite address: $address is $valid', ({ address, valid }) => {
    expect(parseAddress(address) !== undefined).toBe(valid);
  });
});

describe('parseAddress()', () => {
  test.each([
    ['bob@Example.COM', { localPart: 'bob', domain: 'example.com' }],
    ['"john \\"x\\" doe"@example.com', { localPart: 'john "x" doe', domain: 'example.com' }],
    ['"bob"@example.com', { localPart: 'bob', domain: 'example.com' }],
    ['a@[192.0.2.1]', { localPart: 'a', domain: '[192.0.2.1]' }],
    ['a@[ipv6:2001:DB8::1]', { localPart: 'a', domain: '[IPv6:2001:db8::1]' }],
    ['δοκιμή@παράδειγμα.δοκιμή', { localPart: 'δοκιμή', domain: 'xn--hxajbheg2az3al.xn--jxalpdlp' }],
    ['faß@straße.de', { localPart: 'faß', domain: 'xn--strae-oqa.de' }],
    ['e\u0301@example.com', { localPart: '\u00e9', domain: 'example.com' }],
  ])('M1: reads %s', (text, address) => {
    expect(parseAddress(text)).toEqual(address);
  });

  test.each([
    ['a NUL', 'a\0b@example.com'],
    ['a NUL in quotes', '"a\0b"@example.com'],
    ['a line end', 'a@example.com\r\nRCPT TO:<x@y>'],
    ['a C1 control', 'a\u0085b@example.com'],
    ['octets that were not UTF-8', Buffer.from('b\xf6b@example.com', 'latin1').toString('utf8')],
    ['half a surrogate pair', 'a\ud800@example.com'],
    ['an underscore in a domain', 'a@b_c.example'],
    ['a domain that looks like an IPv4 address', 'a@127.0.0.1'],
    ['the same in full-width digits', 'a@１２７.０.０.１'],
    ['an unassigned kind of literal', 'a@[x400:y]'],
    ['angle brackets', '<a@example.com>'],
    ['a source route', '<@relay.example:a@example.com>'],
    ['the null path', ''],
    ['a bare postmaster', 'postmaster'],
    ['a local part of 65 octets', `${'a'.repeat(65)}@example.com`],
    ['a local part of 66 octets in UTF-8', `${'ä'.repeat(33)}@example.com`],
    ['a label of 64 octets', `a@${'b'.repeat(64)}.example`],
    ['a megabyte', `${'a.'.repeat(500_000)}@example.com`],
  ])('refuses %s', (_what, text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it('takes 254 octets and refuses 255', () => {
    const domain = `${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(59)}`;
    expect(parseAddress(`${'a'.repeat(64)}@${domain}.x`)).toBeDefined();
    expect(parseAddress(`${'a'.repeat(64)}@${domain}.xy`)).toBeUndefined();
  });
});

describe('formatAddress()', () => {
  it('quotes only where it has to', () => {
    expect(formatAddress({ localPart: 'a.b', domain: 'x.example' })).toBe('a.b@x.example');
    expect(formatAddress({ localPart: 'a..b', domain: 'x.example' })).toBe('"a..b"@x.example');
    expect(formatAddress({ localPart: 'a"\\', domain: 'x.example' })).toBe('"a\\"\\\\"@x.example');
    expect(formatAddress({ localPart: '', domain: 'x.example' })).toBe('""@x.example');
  });

  it('is read back as the same address, whatever was parsed', () => {
    const part = fc.string({
      unit: fc.constantFrom('a', 'ö', '.', ' ', '"', '\\', '@', '+', '<'),
      maxLength: 12,
    });
    fc.assert(
      fc.property(part, (localPart) => {
        const address = { localPart: localPart.normalize('NFC'), domain: 'x.example' };
        expect(parseAddress(formatAddress(address))).toEqual(address);
      }),
    );
  });

  it('holds for any text that parses, and parsing never throws', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 80 }),
        fc.string({ maxLength: 20 }),
        (left, right) => {
          const address = parseAddress(`${left}@${right}`);
          if (address !== undefined) expect(parseAddress(formatAddress(address))).toEqual(address);
        },
      ),
    );
  });
});

describe('addressKey()', () => {
  it('is one for all ways to write an address', () => {
    const keys = ['Bob@Example.com', '"bob"@example.COM', '"b\\ob"@example.com'].map((text) => {
      const address = parseAddress(text);
      return address && addressKey(address);
    });
    expect(keys).toEqual(['bob@example.com', 'bob@example.com', 'bob@example.com']);
  });

  it('keeps apart what only looks alike', () => {
    expect(addressKey({ localPart: 'a@b.example', domain: 'c.example' })).toBe('"a@b.example"@c.example');
  });
});

describe('needsSmtputf8()', () => {
  it('asks the local part only', () => {
    expect(needsSmtputf8({ localPart: 'bob', domain: 'xn--strae-oqa.de' })).toBe(false);
    expect(needsSmtputf8({ localPart: 'jürgen', domain: 'example.com' })).toBe(true);
  });
});
