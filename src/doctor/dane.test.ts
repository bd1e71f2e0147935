import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import type { ShownType } from '../dns/record-text.ts';
import { factsOf } from '../net/key-pair.ts';
import type { WantedRecord } from '../records/wanted-record.ts';
import { testAuthority } from '../testing/certificates.ts';
import { examineDane } from './dane.ts';
import type { DnsLooks } from './dns-looks.ts';

const hostname = 'mx.example.com';
const name = `_25._tcp.${hostname}`;
const chain = [new X509Certificate(testAuthority().issue([hostname]).cert)] as const;
const current = factsOf(chain[0]).spkiSha256;
const next = '5a'.repeat(32);
const wantedOf = (sha256: string): WantedRecord => ({
  ...{ domain: 'example.com', name, type: 'TLSA', data: `3 1 1 ${sha256}`, purpose: 'dane' },
  ...{ need: 'optional', why: 'keys', where: 'zone' },
});

/** A signed zone with TLSA 3 1 1 records of these keys. */
function looksOf(keys: readonly string[]): DnsLooks {
  const records = keys.map((key) => ({
    ...{ name, type: 'TLSA' as const, ttl: 60, text: `3 1 1 ${key}` },
    data: { usage: 3, selector: 1, matching: 1, data: Buffer.from(key, 'hex') },
  }));
  const see = async (_: string, type: ShownType) => ({ name, type, status: 'found', records });
  // The examination asks nothing else.
  return {
    see,
    resolve: see,
    zoneOf: async () => ({ name: 'example.com', isSigned: true }),
  } as unknown as DnsLooks;
}

test('P12: examineDane(): the next key has to be in DNS before it is used', async () => {
  const look = (keys: string[], nextKey?: string) =>
    examineDane({
      ...{ looks: looksOf(keys), hostname, wanted: [wantedOf(current), wantedOf(next)], chain },
      ...{ now: Date.now(), nextKey },
    });
  const idsOf = async (...args: Parameters<typeof look>) =>
    (await look(...args)).map(({ id, severity }) => id ?? severity);
  expect(await idsOf([current], next)).toEqual(['dane-next-missing', 'good']);
  expect((await look([current], next))[0]?.record).toContain(`3 1 1 ${next}`);
  expect(await idsOf([current, next], next)).toEqual(['good']);
  expect(await idsOf([current])).toEqual(['good']);
  expect(await idsOf([next], next)).toEqual(['dane-mismatch']);
});
