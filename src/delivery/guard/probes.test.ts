import { describe, expect, it } from 'vitest';
import type { ZoneData } from '../../dns/zone-data.ts';
import { type Script, scriptedResolver } from '../../testing/scripted-resolver.ts';
import { permitting, probeAll, type Subject } from './probes.ts';

const subject: Subject = {
  address: '10.0.0.1',
  publicAddress: '192.0.2.1',
  ehloName: 'mx.example.com',
  domains: ['example.com'],
};

const wellKept: ZoneData = {
  '1.2.0.192.in-addr.arpa': { PTR: ['mx.example.com'] },
  'mx.example.com': { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] },
  'example.com': { TXT: ['v=spf1 mx -all'], MX: [[10, 'mx.example.com']] },
};

async function look(data: ZoneData, { script, ...changes }: Partial<Subject> & { script?: Script } = {}) {
  const [findings = []] = await lookAt(data, [{ ...subject, ...changes }], script);
  return Object.fromEntries(findings.map((finding) => [finding.check, finding]));
}

function lookAt(data: ZoneData, subjects: readonly Subject[], script?: Script) {
  return probeAll(
    {
      resolver: scriptedResolver(data, script),
      blocklists: [],
      tryAddress: async (address) => {
        if (address !== '10.0.0.1') throw new Error('EADDRNOTAVAIL');
      },
      signal: new AbortController().signal,
    },
    subjects,
  );
}

describe('probeAll()', () => {
  it('finds nothing wrong where all is well', async () => {
    const found = await look(wellKept);
    expect(Object.values(found).map(({ check, result }) => `${check} ${result}`)).toEqual([
      'address good',
      'reverse good',
      'ehlo good',
      'spf good',
    ]);
  });

  it('P12: a PTR record that is missing, or whose name does not lead back', async () => {
    const expected = { result: 'bad', record: '1.2.0.192.in-addr.arpa. PTR mx.example.com.' };
    expect((await look({ ...wellKept, '1.2.0.192.in-addr.arpa': {} })).reverse).toMatchObject(expected);
    const elsewhere = { ...wellKept, '1.2.0.192.in-addr.arpa': { PTR: ['gone.example.com'] } };
    expect((await look(elsewhere)).reverse).toMatchObject(expected);
  });

  it('P12: an IPv6 address is looked up as one', async () => {
    const found = await look(wellKept, { publicAddress: '2001:db8::2' });
    expect(found.reverse).toMatchObject({
      result: 'bad',
      record: `2.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa. PTR mx.example.com.`,
    });
    expect(found.ehlo).toMatchObject({
      evidence: 'our name mx.example.com leads to 2001:db8::1; it must lead to 2001:db8::2',
      record: 'mx.example.com. AAAA 2001:db8::2',
    });
    expect(found.spf?.record).toBe('example.com. TXT "v=spf1 mx ip6:2001:db8::2 -all"');
  });

  it('P12: an EHLO name that does not lead to the address', async () => {
    const found = await look(wellKept, { ehloName: 'out.example.com' });
    expect(found.ehlo).toMatchObject({
      result: 'bad',
      evidence: 'our name out.example.com has no A record; it must lead to 192.0.2.1',
      record: 'out.example.com. A 192.0.2.1',
    });
  });

  it.each([
    ['does not permit it (-)', 'v=spf1 ip4:192.0.2.9 -all', 'bad'],
    ['probably does not (~)', 'v=spf1 ip4:192.0.2.9 ~all', 'bad'],
    ['says nothing of it (?)', 'v=spf1 ?all', 'bad'],
    ['is not there', 'other', 'absent'],
    ['makes no sense', 'v=spf1 nonsense:x -all', 'absent'],
  ])('P12: SPF that %s', async (_, record, result) => {
    const found = await look({ ...wellKept, 'example.com': { TXT: [record] } });
    expect(found.spf).toMatchObject({ subject: 'example.com', result });
  });

  it('P12: looks at SPF of every domain of ours', async () => {
    const domains = Array.from({ length: 60 }, (_, number) => `d${number}.example`);
    const last = { 'd59.example': { TXT: ['v=spf1 -all'] } };
    const found = await look({ ...wellKept, ...last }, { domains });
    expect(found.spf).toMatchObject({ subject: 'd59.example', result: 'bad' });
  });

  it('P12: one record permits all addresses that the domain sends from', async () => {
    const addresses = ['192.0.2.1', '192.0.2.2', '2001:db8::3', '192.0.2.4'];
    const spf = { TXT: ['v=spf1 ip4:192.0.2.2 ip4:192.0.2.4 -all'] };
    const found = await lookAt(
      { ...wellKept, 'example.com': spf, 'example.org': { TXT: ['v=spf1 ~all'] } },
      addresses.map((publicAddress, index) => ({
        ...subject,
        publicAddress,
        domains: index === 3 ? ['example.org'] : ['example.com'],
      })),
    );
    const both = 'example.com. TXT "v=spf1 ip4:192.0.2.2 ip4:192.0.2.4 ip4:192.0.2.1 ip6:2001:db8::3 -all"';
    expect(found.map((findings) => findings.find(({ check }) => check === 'spf')?.record)).toEqual([
      both,
      undefined,
      both,
      'example.org. TXT "v=spf1 ip4:192.0.2.4 ~all"',
    ]);
    expect(found.flat().filter((finding) => 'spf' in finding)).toEqual([]);
  });

  it('P12: a record that is too long for one string is given in several', async () => {
    const subjects = Array.from({ length: 20 }, (_, index) => ({
      ...subject,
      publicAddress: `192.0.2.${index}`,
    }));
    const [findings = []] = await lookAt({ ...wellKept, 'example.com': {} }, subjects);
    const record = findings.find(({ check }) => check === 'spf')?.record;
    expect(record).toMatch(/^example\.com\. TXT "v=spf1 [^"]{248}" "[^"]+ -all"$/);
  });

  it('does not know what DNS does not say now', async () => {
    const failures = {
      '1.2.0.192.in-addr.arpa': 'servfail',
      'mx.example.com': 'timeout',
      'example.com': 'servfail',
    } as const;
    const found = await look(wellKept, { script: { failures } });
    expect(['reverse', 'ehlo', 'spf'].map((check) => found[check]?.result)).toEqual(Array(3).fill('unknown'));
  });

  it('an address from which nothing can be sent', async () => {
    const found = await look(wellKept, { address: '10.0.0.2' });
    expect(found.address).toMatchObject({
      result: 'bad',
      evidence: expect.stringContaining('EADDRNOTAVAIL'),
    });
  });
});

describe('permitting()', () => {
  it.each([
    [undefined, 'v=spf1 ip4:192.0.2.1 -all'],
    ['v=spf1 mx ~all', 'v=spf1 mx ip4:192.0.2.1 ~all'],
    ['v=spf1 a all', 'v=spf1 a ip4:192.0.2.1 all'],
    ['v=spf1 redirect=_spf.example.org', 'v=spf1 ip4:192.0.2.1 redirect=_spf.example.org'],
    ['v=spf1 a', 'v=spf1 a ip4:192.0.2.1'],
    ['v=spf1 include:all.example -all', 'v=spf1 include:all.example ip4:192.0.2.1 -all'],
  ])('%s', (record, expected) => {
    expect(permitting(record, ['192.0.2.1'])).toBe(expected);
  });
});
