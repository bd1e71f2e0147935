/** The suites of others (testdata/spf, dkim, dmarc), each case one test; none is left out. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Answer, RecordType, RecordTypes, Resolver } from '../dns/resolver.ts';
import { parseHeader } from '../mail/header.ts';
import { systemClock } from '../util/clock.ts';
import { findAuthor } from './author.ts';
import { checkSender } from './check.ts';
import { checkDmarc } from './dmarc.ts';
import { type LookUps, lookUps } from './look-ups.ts';
import { checkSpf } from './spf.ts';
import type { DkimVerdict, SpfVerdict } from './verdicts.ts';

/** By name in lower case; records by type as Resolver gives them. With `timeout`, what is not there has no answer. */
type SuiteZone = Record<string, { [T in RecordType]?: RecordTypes[T][] } & { timeout?: boolean }>;

function suiteResolver(zone: SuiteZone): Resolver {
  return {
    async resolve<T extends RecordType>(name: string, type: T): Promise<Answer<RecordTypes[T]>> {
      const node = zone[name.toLowerCase()];
      const alias = node?.CNAME?.[0];
      if (alias !== undefined && type !== 'CNAME') return this.resolve(alias, type);
      // The compiler does not follow T through the intersection.
      const records = node?.[type] as RecordTypes[T][] | undefined;
      if (records !== undefined && records.length > 0)
        return { status: 'found', records, ttl: 60, authentic: false };
      if (node?.timeout) return { status: 'failed', detail: 'timeout' };
      const exists = node !== undefined || Object.keys(zone).some((other) => other.endsWith(`.${name}`));
      return { status: 'none', reason: exists ? 'nodata' : 'nxdomain', ttl: 60, authentic: false };
    },
  };
}

const dnsOf = (zone: SuiteZone): LookUps => lookUps(suiteResolver(zone), 200, new AbortController().signal);

// The files are written for these tests; their shapes are told here and nowhere checked.
const load = <T>(path: string): T =>
  JSON.parse(readFileSync(new URL(`../../testdata/${path}`, import.meta.url), 'utf8'));

interface SpfGroup {
  description: string;
  zone: SuiteZone;
  tests: { name: string; helo: string; host: string; mailfrom: string; result: string[] }[];
}

describe.each(load<SpfGroup[]>('spf/rfc7208-tests.json'))(
  'RFC 7208 suite: $description',
  ({ zone, tests }) => {
    it.each(tests)('checkSpf() in case $name', async ({ helo, host, mailfrom, result }) => {
      const sender = { clientAddress: host, helo, reversePath: mailfrom };
      expect(result).toContain((await checkSpf(dnsOf(zone), 'receiver.example', sender)).result);
    });
  },
);

interface DkimCase {
  id: string;
  message_b64: string;
  zone: Record<string, string>;
  want: 'pass' | 'notpass';
  sha1: boolean;
}

/** Signed by drafts that had no v= tag yet; RFC 6376 §3.5 requires it and §6.1.1 ignores signatures without it. */
const withoutVersion = ['mine_ietf01_3', 'mine_ietf01_4', 'good_ietf01_1', 'multiple_1'];
const isDraft = (id: string): boolean => withoutVersion.some((name) => id === `Mail-DKIM/${name}.txt`);

/** When mail-auth/005 was signed, for a day. */
const dkimClock = { ...systemClock, now: () => Date.UTC(2022, 10, 8) };

describe('DKIM suites', () => {
  it.each(load<DkimCase[]>('dkim/cases.json'))(
    'checkSender() in case $id',
    async ({ id, message_b64, zone, want, sha1 }) => {
      const records = Object.entries(zone).map(([name, text]) => [name.toLowerCase(), { TXT: [[text]] }]);
      const { dkim } = await checkSender(
        { resolver: suiteResolver(Object.fromEntries(records)), hostname: 'mx.example', clock: dkimClock },
        {
          clientAddress: '192.0.2.1',
          helo: 'client.example',
          reversePath: '',
          message: Buffer.from(message_b64, 'base64'),
        },
      );
      const passes = dkim.some(({ result }) => result === 'pass');
      expect(passes, JSON.stringify(dkim)).toBe(want === 'pass' && !sha1 && !isDraft(id));
    },
  );
});

interface DmarcCase {
  name: string;
  from: string[];
  dkim: string[];
  spf: string[];
  zone: SuiteZone;
  result?: string;
  policy?: string;
}

describe('DMARC suite', () => {
  it.each(load<DmarcCase[]>('dmarc/cases.json'))(
    'checkDmarc() $name',
    async ({ from, dkim, spf, zone, ...expected }) => {
      const author = findAuthor(parseHeader(Buffer.from(`From: ${from.join(', ')}\r\n\r\n`)).fields);
      const mechanisms = { spf: passingSpf(spf[0]), dkim: dkim.map(passingSignature) };
      const { dmarc } = await checkDmarc(dnsOf(zone), author, mechanisms);
      if (expected.result) expect(dmarc.result).toBe(expected.result);
      if (expected.policy) expect(dmarc.policies).toEqual([expected.policy]);
    },
  );
});

function passingSpf(domain: string | undefined): SpfVerdict {
  return {
    result: domain === undefined ? 'none' : 'pass',
    domain: domain ?? '',
    scope: 'mailfrom',
    reason: '',
  };
}

function passingSignature(domain: string): DkimVerdict {
  return {
    result: 'pass',
    domain,
    selector: 's',
    algorithm: 'rsa-sha256',
    signature: '',
    aligned: false,
    reason: '',
  };
}
