import { describe, expect, it } from 'vitest';
import { characterStrings, quotedData, recordLine, tableText, zoneFileText } from './print.ts';
import type { WantedRecord } from './wanted-record.ts';

const record = (more: Partial<WantedRecord> = {}): WantedRecord => ({
  domain: 'example.com',
  name: 'example.com',
  type: 'MX',
  data: '10 mx.example.com.',
  purpose: 'mx',
  need: 'required',
  why: 'mail comes here',
  where: 'zone',
  ...more,
});

const longText = `v=DKIM1; p=${'A'.repeat(400)}`;
const dkim = record({
  name: 's._domainkey.example.com',
  type: 'TXT',
  data: longText,
  purpose: 'dkim',
  why: 'a key',
});
const reverse = record({
  domain: '1.2.0.192.in-addr.arpa',
  name: '1.2.0.192.in-addr.arpa',
  type: 'PTR',
  data: 'mx.example.com.',
  purpose: 'ptr',
  why: 'ask for it',
  where: 'provider',
});
const later = record({
  name: '_mta-sts.example.com',
  type: 'TXT',
  data: 'v=STSv1; id=1',
  purpose: 'mta-sts',
  notYet: 'serve the policy',
});

describe('characterStrings()', () => {
  it.each([
    ['', ['']],
    ['a'.repeat(255), ['a'.repeat(255)]],
    ['a'.repeat(256), ['a'.repeat(255), 'a']],
  ])('cuts after 255 octets', (text, expected) => {
    expect(characterStrings(text)).toEqual(expected);
  });

  it('never cuts within a character', () => {
    const strings = characterStrings(`${'a'.repeat(254)}ü`);
    expect(strings).toEqual(['a'.repeat(254), 'ü']);
  });
});

describe('quotedData()', () => {
  it('escapes what a zone file could not read', () => {
    expect(quotedData({ type: 'TXT', data: 'a "b" \\ ü' })).toBe('"a \\"b\\" \\\\ \\195\\188"');
  });

  it('puts a long text into strings of 255 octets at most, which make it up again', () => {
    const strings = [...quotedData(dkim).matchAll(/"([^"]*)"/g)].map(([, text = '']) => text);
    expect(strings.map((text) => text.length)).toEqual([255, longText.length - 255]);
    expect(strings.join('')).toBe(longText);
  });
});

it('recordLine() has absolute names', () => {
  expect(recordLine(record(), 300)).toBe('example.com.  300  IN  MX  10 mx.example.com.');
});

describe('zoneFileText()', () => {
  const text = zoneFileText([record(), dkim, later, reverse], 60);

  it('has a record on each line, under its zone', () => {
    expect(text).toContain('$ORIGIN example.com.\n');
    expect(text.split('\n').filter((line) => /^[^;$]/.test(line))).toEqual([
      recordLine(record(), 60),
      recordLine(dkim, 60),
    ]);
  });

  it('has what is not for now, and what is not ours to enter, in comments only', () => {
    expect(text).toContain(
      '; NOT YET: serve the policy\n; _mta-sts.example.com.  60  IN  TXT  "v=STSv1; id=1"',
    );
    expect(text).toContain('hosting provider to enter');
    expect(text).toContain('; 1.2.0.192.in-addr.arpa.  60  IN  PTR  mx.example.com.');
  });
});

describe('tableText()', () => {
  const text = tableText([record(), dkim, later, reverse]);

  it('has what the forms of providers have fields for: names within the zone, no final dots, whole texts', () => {
    expect(text).toMatch(/^In the zone example\.com\n {2}MX {5}@ +10 mx\.example\.com\n/);
    expect(text).toContain(`  TXT    s._domainkey  ${longText}\n`);
    expect(text).toMatch(/reverse DNS\)\n {2}PTR {4}1\.2\.0\.192\.in-addr\.arpa {2}mx\.example\.com\n/);
  });

  it('has what waits apart, with what it waits for', () => {
    expect(text).toContain('In the zone example.com, but not yet: serve the policy\n  TXT    _mta-sts');
  });

  it('has long texts once more in pieces', () => {
    expect(text).toContain(`  s._domainkey  (zone example.com)\n    ${quotedData(dkim)}`);
    expect(tableText([record()])).not.toContain('in pieces');
  });

  it('leaves the target "." of a service that is not offered', () => {
    const none = record({
      name: '_imap._tcp.example.com',
      type: 'SRV',
      data: '0 0 0 .',
      purpose: 'client-srv',
    });
    expect(tableText([none])).toContain('0 0 0 .\n');
  });
});
