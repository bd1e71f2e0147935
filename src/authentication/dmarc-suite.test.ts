/** mailauth's cases and mox's vectors for DMARC (testdata/dmarc), each case one test; what is skipped says why. */

import { expect, it } from 'vitest';
import { parseHeader } from '../mail/header.ts';
import { loadSuite, type SuiteZone, suiteResolver } from '../testing/suite-resolver.ts';
import { findAuthor } from './author.ts';
import { startDmarc } from './dmarc.ts';
import { readDmarcRecord } from './dmarc-record.ts';
import { lookUps } from './look-ups.ts';
import type { DkimVerdict, DmarcVerdict, SpfVerdict } from './verdicts.ts';

interface DmarcCase {
  name: string;
  from: string[];
  dkim: string[];
  spf: string[];
  zone: SuiteZone;
  skip?: string;
  result?: string;
  policy?: string;
  p?: string;
  sp?: string;
  organization?: string;
  author?: string;
  policyDomain?: string;
  inherited?: boolean;
  asked?: string[];
  dkimStrict?: boolean;
  spfStrict?: boolean;
  dkimAligned?: boolean;
  spfAligned?: boolean;
  record?: string;
}

async function check({ from, dkim, spf, zone }: Pick<DmarcCase, 'from' | 'dkim' | 'spf' | 'zone'>) {
  const dns = lookUps(suiteResolver(zone), 200, new AbortController().signal);
  const author = findAuthor(parseHeader(Buffer.from(`From: ${from.join(', ')}\r\n\r\n`)).fields);
  const mechanisms = { spf: passingSpf(spf[0]), dkim: dkim.map(passingSignature) };
  return (await startDmarc(dns, author)(mechanisms)).dmarc;
}

/** What the verdict says of what the case asks about. */
const found: Record<string, (dmarc: DmarcVerdict) => unknown> = {
  result: ({ result }) => result,
  policy: ({ policies }) => policies.join(),
  p: ({ published }) => published?.p,
  sp: ({ published }) => published?.sp,
  organization: ({ organizationalDomain }) => organizationalDomain,
  author: ({ domain }) => domain,
  policyDomain: ({ policyDomain }) => policyDomain,
  inherited: ({ domain, policyDomain }) => domain !== policyDomain,
  asked: ({ asked }) => asked,
  dkimStrict: ({ alignment }) => alignment?.dkim === 'strict',
  spfStrict: ({ alignment }) => alignment?.spf === 'strict',
  dkimAligned: ({ aligned }) => aligned.dkim,
  spfAligned: ({ aligned }) => aligned.spf,
};

for (const { name, skip, from, dkim, spf, zone, record, ...expected } of loadSuite<DmarcCase[]>(
  'dmarc/cases.json',
))
  it.skipIf(skip)(`suite dmarc: ${name}${because(skip)}`, async () => {
    const dmarc = await check({ from, dkim, spf, zone });
    const asked = Object.entries(expected).filter(([key]) => key in found);
    expect(asked.length + (record === undefined ? 0 : 1)).toBeGreaterThan(0);
    for (const [key, value] of asked) expect([key, found[key]?.(dmarc)]).toEqual([key, value]);
    if (record !== undefined) expect(dmarc.record).toContain(record);
  });

interface Vectors {
  parse: { record: string; skip?: string }[];
  lookup: { domain: string; result: string; foundAt: string }[];
}

const { parse, lookup } = loadSuite<Vectors>('dmarc/mox.json');

for (const { record, skip } of parse)
  it.skipIf(skip)(`suite dmarc: mox: ${JSON.stringify(record)} asks for nothing${because(skip)}`, () => {
    const policies = readDmarcRecord(record)?.policies;
    // Where one p= is good, mox faults what RFC 9989 §4.7 wants passed over.
    expect(policies === undefined || /^none$/.test(policies.p)).toBe(true);
    if (!/p=none|p=reject/.test(record)) expect(policies).toBeUndefined();
  });

const places: SuiteZone = {
  '_dmarc.simple.example': { TXT: [['v=DMARC1; p=none;']] },
  '_dmarc.one.example': { TXT: [['v=DMARC1; p=none;'], ['other']] },
  '_dmarc.multiple.example': { TXT: [['v=DMARC1; p=none;'], ['v=DMARC1; p=none;']] },
  '_dmarc.malformed.example': { TXT: [['v=DMARC1; p=none; bogus;'], ['v=DMARC1; p=none']] },
  '_dmarc.temperror.example': { timeout: true },
  '_dmarc.example.com': { TXT: [['v=DMARC1; p=none;']] },
};

for (const { domain, result, foundAt } of lookup)
  it(`suite dmarc: mox: the record for ${domain} is ${result === 'fail' ? `at ${foundAt}` : result}`, async () => {
    const dmarc = await check({ from: [`a@${domain}`], dkim: [], spf: [], zone: places });
    expect([dmarc.result, dmarc.policyDomain]).toEqual([result, result === 'fail' ? foundAt : undefined]);
  });

function because(skip: string | undefined): string {
  return skip === undefined ? '' : `, skipped: ${skip}`;
}

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
