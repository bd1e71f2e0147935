/**
 * testdata/dnssec/replies.json holds what NSD 4.6.1 replied (with DO) from a zone that ldns-signzone 1.8.3 has signed by one key of each
 * algorithm, from 2026-01-01 to 2027-01-01, in base64.
 */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type DsRecord, dsOf, isNamedBy, keysIn, type RecordSet, recordSetsOf, verdictOn } from './dnssec.ts';
import { readWireAnswers } from './wire-records.ts';

const file = new URL('../../testdata/dnssec/replies.json', import.meta.url);
const fixture: Record<string, { ds: string; replies: Record<string, string> }> = JSON.parse(
  readFileSync(file, 'utf8'),
);
const during = Date.parse('2026-07-01');

const setsOf = (reply = ''): RecordSet[] => {
  const records = readWireAnswers(Buffer.from(reply, 'base64'));
  if (records === undefined) throw new Error('no message');
  return recordSetsOf(records);
};
const keysOf = (algorithm: string) =>
  setsOf(fixture[algorithm]?.replies['example.com DNSKEY']).flatMap((set) => keysIn(set));
const dsFrom = (text: string): DsRecord => {
  const [tag, algorithm, digestType, digest = ''] = text.split(' ');
  return { tag: Number(tag), algorithm: Number(algorithm), digestType: Number(digestType), digest };
};

describe.each(Object.entries(fixture))('%s', (algorithm, { ds, replies }) => {
  const keys = keysOf(algorithm);

  test('isNamedBy() knows the key that the parent names, and no other', () => {
    const named = dsFrom(ds);
    expect(keys.map((key) => isNamedBy(key, named))).toEqual([true]);
    expect(keys.map((key) => isNamedBy(key, { ...named, digest: '00'.repeat(32) }))).toEqual([false]);
    expect(keys.map((key) => isNamedBy(key, { ...named, digestType: 9 }))).toEqual([undefined]);
    expect(keys.map((key) => dsOf(key, named.digestType))).toEqual([named]);
  });

  test.each(Object.entries(replies))('verdictOn() proves what ldns has signed: %s', (_, reply) => {
    const sets = setsOf(reply);
    expect(sets.length).toBeGreaterThan(0);
    for (const set of sets) expect(verdictOn(set, keys, during)).toMatchObject({ kind: 'proven' });
  });

  test.each(Object.entries(replies))('verdictOn() finds one octet that is another: %s', (_, reply) => {
    for (const set of setsOf(reply)) {
      const [first, ...others] = set.records;
      if (first === undefined) throw new Error('no record');
      const data = Buffer.from(first.data);
      data.writeUInt8(data.readUInt8(data.length - 1) ^ 1, data.length - 1);
      const changed = { ...set, records: [{ ...first, data }, ...others] };
      expect(verdictOn(changed, keys, during).kind).toBe('broken');
    }
  });
});

const [mx] = setsOf(fixture.ECDSAP256SHA256?.replies['example.com MX']);
const keys = keysOf('ECDSAP256SHA256');
if (mx === undefined) throw new Error('no MX');

test('verdictOn() looks at the time, in both directions', () => {
  expect(verdictOn(mx, keys, Date.parse('2027-01-02'))).toEqual({
    kind: 'expired',
    at: Date.parse('2027-01-01'),
  });
  expect(verdictOn(mx, keys, Date.parse('2025-12-31'))).toEqual({
    kind: 'early',
    at: Date.parse('2026-01-01'),
  });
});

test('verdictOn() tells a missing signature, a missing key, and an algorithm that is not known', () => {
  expect(verdictOn({ ...mx, signatures: [] }, keys, during)).toEqual({ kind: 'unsigned' });
  expect(verdictOn(mx, keysOf('ED25519'), during)).toEqual({
    kind: 'broken',
    tag: 16265,
    isKeyMissing: true,
  });
  const strange = mx.signatures.map((signature) => ({ ...signature, algorithm: 5 }));
  expect(verdictOn({ ...mx, signatures: strange }, keys, during)).toEqual({ kind: 'unknown' });
  // One that is right is enough.
  const both = { ...mx, signatures: [...strange, ...mx.signatures] };
  expect(verdictOn(both, keys, during)).toMatchObject({ kind: 'proven' });
});

test('readWireAnswers() and verdictOn() end with an answer, whatever the bytes', () => {
  for (const { replies } of Object.values(fixture))
    for (const reply of Object.values(replies).slice(1, 3)) {
      const bytes = Buffer.from(reply, 'base64');
      for (let at = 0; at < bytes.length; at += 1) {
        const cut = readWireAnswers(bytes.subarray(0, at));
        for (const set of recordSetsOf(cut ?? [])) verdictOn(set, keys, during);
        const spoiled = Buffer.from(bytes);
        spoiled.writeUInt8(spoiled.readUInt8(at) ^ 0xc1, at);
        for (const set of recordSetsOf(readWireAnswers(spoiled) ?? [])) {
          keysIn(set);
          verdictOn(set, keys, during);
        }
      }
    }
});
