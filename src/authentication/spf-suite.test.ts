/** RFC 7208's suite and mox's vectors (testdata/spf), each case one test; what is skipped says why. */

import { describe, expect, it } from 'vitest';
import { loadSuite, type SuiteZone, suiteResolver } from '../testing/suite-resolver.ts';
import { type LookUps, lookUps } from './look-ups.ts';
import { checkSpf } from './spf.ts';
import { expandDomain, isMacroString } from './spf-macro.ts';
import { isSpfRecord, readSpfRecord } from './spf-record.ts';

const dnsOf = (zone: SuiteZone): LookUps => lookUps(suiteResolver(zone), 200, new AbortController().signal);

const receiver = { hostname: 'self.example', now: 0 };

interface SpfGroup {
  description: string;
  zone: SuiteZone;
  tests: {
    name: string;
    helo: string;
    host: string;
    mailfrom: string;
    result: string[];
    /** `DEFAULT`: the domain has none. */
    explanation?: string;
  }[];
}

describe.each(loadSuite<SpfGroup[]>('spf/rfc7208-tests.json'))('$description', ({ zone, tests }) => {
  it.each(tests)('suite spf: $name', async ({ helo, host, mailfrom, result, explanation }) => {
    const sender = { clientAddress: host, helo, reversePath: mailfrom, receiver };
    const verdict = await checkSpf(dnsOf(zone), sender);
    expect(result, JSON.stringify(verdict)).toContain(verdict.result);
    // The suite has the nibbles of an IPv6 address in upper case; RFC 7208 §7.3 leaves it open.
    if (explanation !== undefined)
      expect(verdict.explanation?.toLowerCase() ?? 'DEFAULT').toBe(
        explanation === 'DEFAULT' ? explanation : explanation.toLowerCase(),
      );
  });
});

interface Vectors {
  parse: { record: string; good: boolean; skip?: string }[];
  expand: { spec: string; address: string; expected: string; skip?: string }[];
  verify: { record: string; pass: string[]; othersFail: boolean }[];
  lookup: { domain: string; result: string }[];
}

const { parse, expand, verify, lookup } = loadSuite<Vectors>('spf/mox.json');

for (const { record, good, skip } of parse)
  it.skipIf(skip)(
    `suite spf: mox: ${JSON.stringify(record)} is ${good ? 'good' : 'bad'}${because(skip)}`,
    () => {
      expect(isSpfRecord(record) && !('problem' in readSpfRecord(record))).toBe(good);
    },
  );

/** What mox's test has in place. */
const values = {
  sender: 'strong-bad@email.example.com',
  domain: 'email.example.com',
  helo: 'mx.mox.example',
  validatedName: async () => 'unknown',
  receiver,
};

for (const { spec, address, expected, skip } of expand)
  it.skipIf(skip)(
    `suite spf: mox: ${spec} of ${address} expands to "${expected}"${because(skip)}`,
    async () => {
      const six = '1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2';
      const known = address.includes(':')
        ? { ...values, address, dottedAddress: [...six].reverse().join(''), version: 'ip6' as const }
        : { ...values, address, dottedAddress: address, version: 'in-addr' as const };
      if (expected === '') expect('problem' in readSpfRecord(`v=spf1 exists:${spec}`)).toBe(true);
      else expect([isMacroString(spec), await expandDomain(spec, known)]).toEqual([true, expected]);
    },
  );

/** RFC 7208 appendix A. */
const appendixA: SuiteZone = {
  'example.com': {
    A: ['192.0.2.10', '192.0.2.11'],
    MX: [
      { preference: 10, exchange: 'mail-a.example.com' },
      { preference: 20, exchange: 'mail-b.example.com' },
    ],
  },
  'amy.example.com': { A: ['192.0.2.65'] },
  'bob.example.com': { A: ['192.0.2.66'] },
  'mail-a.example.com': { A: ['192.0.2.129'] },
  'mail-b.example.com': { A: ['192.0.2.130'] },
  'example.org': { MX: [{ preference: 10, exchange: 'mail-c.example.org' }] },
  'mail-c.example.org': { A: ['192.0.2.140'] },
  '_spf.example.com': { TXT: [['v=spf1 ip4:192.0.2.128/28 -all']] },
  '10.2.0.192.in-addr.arpa': { PTR: ['example.com'] },
  '11.2.0.192.in-addr.arpa': { PTR: ['example.com'] },
  '65.2.0.192.in-addr.arpa': { PTR: ['amy.example.com'] },
  '66.2.0.192.in-addr.arpa': { PTR: ['bob.example.com'] },
  '129.2.0.192.in-addr.arpa': { PTR: ['mail-a.example.com'] },
  '130.2.0.192.in-addr.arpa': { PTR: ['mail-b.example.com'] },
  '140.2.0.192.in-addr.arpa': { PTR: ['mail-c.example.org'] },
};
const clients = [10, 11, 65, 66, 129, 130, 140, 200].map((host) => `192.0.2.${host}`);

for (const { record, pass, othersFail } of verify)
  it(`suite spf: mox: "${record}" permits ${pass.join(', ') || 'nobody'}`, async () => {
    const zone = { ...appendixA, 'example.com': { ...appendixA['example.com'], TXT: [[record]] } };
    const resultOf = async (clientAddress: string) =>
      (await checkSpf(dnsOf(zone), { clientAddress, helo: 'x.example', reversePath: 'a@example.com' }))
        .result;
    for (const client of new Set([...clients, ...pass]))
      expect([client, await resultOf(client)]).toEqual([
        client,
        pass.includes(client) || !othersFail ? 'pass' : 'fail',
      ]);
  });

const places: SuiteZone = {
  'temperror.example': { timeout: true },
  'malformed.example': { TXT: [['v=spf1 !']] },
  'multiple.example': { TXT: [['v=spf1'], ['v=spf1']] },
  'nonspf.example': { TXT: [['something else']] },
  'ok.example': { TXT: [['v=spf1']] },
};

for (const { domain, result } of lookup)
  it(`suite spf: mox: the record of ${domain} gives ${result}`, async () => {
    const sender = { clientAddress: '192.0.2.1', helo: 'x.example', reversePath: `a@${domain}` };
    expect((await checkSpf(dnsOf(places), sender)).result).toBe(result);
  });

function because(skip: string | undefined): string {
  return skip === undefined ? '' : `, skipped: ${skip}`;
}
