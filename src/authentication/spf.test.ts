import { describe, expect, test } from 'vitest';
import type { ZoneData } from '../dns/zone-data.ts';
import { scriptedResolver } from '../testing/scripted-resolver.ts';
import { lookUps } from './look-ups.ts';
import { checkSpf, type Sender } from './spf.ts';

const client = '192.0.2.1';

function ask(zone: ZoneData, sender: Partial<Sender> = {}) {
  const resolver = scriptedResolver(zone);
  const dns = lookUps(resolver, 200, new AbortController().signal);
  const all = { clientAddress: client, helo: 'client.example', reversePath: 'a@example.com', ...sender };
  return { resolver, verdict: checkSpf(dns, all) };
}

const one = (record: string, more: ZoneData = {}) =>
  ask({ 'example.com': { TXT: [record] }, ...more }).verdict;

describe('checkSpf() says which mechanism of whose record decided', () => {
  const other = { 'other.example': { TXT: ['v=spf1 ip4:192.0.2.0/24 -all'] } };

  test.each<[string, string, object]>([
    [
      'the record itself',
      'v=spf1 ip4:192.0.2.1 -all',
      {
        result: 'pass',
        mechanism: 'ip4:192.0.2.1',
        record: 'v=spf1 ip4:192.0.2.1 -all',
        recordDomain: 'example.com',
        reason: 'example.com permits 192.0.2.1 by ip4:192.0.2.1',
      },
    ],
    [
      'a record that is included',
      'v=spf1 mx include:other.example ~all',
      {
        result: 'pass',
        mechanism: 'include:other.example, there ip4:192.0.2.0/24',
        record: 'v=spf1 ip4:192.0.2.0/24 -all',
        recordDomain: 'other.example',
      },
    ],
    [
      'a record that it is redirected to',
      'v=spf1 redirect=other.example',
      {
        result: 'pass',
        mechanism: 'redirect=other.example, there ip4:192.0.2.0/24',
        recordDomain: 'other.example',
      },
    ],
    [
      'a failure',
      'v=spf1 -all',
      { result: 'fail', mechanism: '-all', reason: 'example.com does not permit 192.0.2.1 by -all' },
    ],
    [
      'nothing that matches',
      'v=spf1 ip4:203.0.113.1',
      { result: 'neutral', reason: 'example.com says nothing about 192.0.2.1: no mechanism matches' },
    ],
    [
      'a term that is none',
      'v=spf1 ipv4:192.0.2.1 -all',
      {
        result: 'permerror',
        reason: 'the SPF record of example.com is invalid: "ipv4:192.0.2.1" is no term of SPF',
      },
    ],
    ['no record', 'hello', { result: 'none', reason: 'example.com has no SPF record' }],
  ])('%s', async (_, record, expected) => {
    expect(await one(record, other)).toMatchObject(expected);
  });
});

describe('checkSpf() asks no more than it may (RFC 7208 §4.6.4)', () => {
  const tooMany = { result: 'permerror', reason: 'more than 10 terms look something up' };

  test.each<[string, ZoneData, object]>([
    [
      'a record that includes itself',
      { 'example.com': { TXT: ['v=spf1 include:example.com -all'] } },
      tooMany,
    ],
    [
      'records that redirect to each other',
      {
        'example.com': { TXT: ['v=spf1 redirect=b.example'] },
        'b.example': { TXT: ['v=spf1 redirect=example.com'] },
      },
      tooMany,
    ],
    [
      'a tree of includes',
      Object.fromEntries([
        ['example.com', { TXT: ['v=spf1 include:a0.example include:b0.example -all'] }],
        ...Array.from({ length: 20 }, (_, n) => [
          [`a${n}.example`, { TXT: [`v=spf1 include:a${n + 1}.example include:b${n + 1}.example ?all`] }],
          [`b${n}.example`, { TXT: [`v=spf1 include:a${n + 1}.example include:b${n + 1}.example ?all`] }],
        ]).flat(),
      ]),
      tooMany,
    ],
    [
      'names that are not there',
      { 'example.com': { TXT: ['v=spf1 a:x.example a:y.example a:z.example a:w.example +all'] } },
      { result: 'permerror', reason: 'more than 2 look-ups found nothing' },
    ],
    [
      'eleven MX hosts',
      {
        'example.com': {
          TXT: ['v=spf1 mx -all'],
          MX: Array.from({ length: 11 }, (_, n) => [n, `mx${n}.example`] as const),
        },
        ...Object.fromEntries(
          Array.from({ length: 11 }, (_, n) => [`mx${n}.example`, { A: ['203.0.113.1'] }]),
        ),
      },
      { result: 'permerror', reason: 'example.com has more than 10 MX hosts' },
    ],
    [
      'a hundred reverse names, of which ten are looked at',
      {
        'example.com': { TXT: ['v=spf1 ptr -all'], A: [client] },
        '1.2.0.192.in-addr.arpa': {
          PTR: [...Array.from({ length: 99 }, (_, n) => `n${n}.example.com`), 'last.example.com'],
        },
        'last.example.com': { A: [client] },
      },
      { result: 'fail' },
    ],
  ])('%s', async (_, zone, expected) => {
    const { resolver, verdict } = ask(zone);
    expect(await verdict).toMatchObject(expected);
    expect(resolver.questions.length).toBeLessThanOrEqual(25);
  });
});

describe('checkSpf() lets a failure be explained (RFC 7208 §6.2)', () => {
  const receiver = { hostname: 'mx.example.net', now: 0 };
  const zone = (text: string, record = 'v=spf1 ip4:192.0.2.7 -all exp=why.example.com') => ({
    'example.com': { TXT: [record] },
    'why.example.com': { TXT: [text] },
  });

  test.each([
    ['a text', 'Write to our postmaster.', 'Write to our postmaster.'],
    [
      'macros',
      'See http://example.com/?s=%{S}&i=%{i}',
      'See http://example.com/?s=a%40example.com&i=192.0.2.1',
    ],
    ['a text of the greatest length, shown in part', 'x'.repeat(1000), `${'x'.repeat(300)}...`],
    ['a longer one, as none', 'x'.repeat(1001), undefined],
    ['a macro that is none', 'because of %{x}', undefined],
    ['a macro with a space in it', 'because of %{ s}', undefined],
    ['nothing', '', undefined],
  ])('%s', async (_, text, explanation) => {
    const { verdict } = ask(zone(text), { receiver });
    expect((await verdict).explanation).toBe(explanation);
  });

  test('macros that grow to lines, to a bounded one of plain characters', async () => {
    const reversePath = `${'\u00e9\r\n'.repeat(100)}@example.com`;
    const { explanation = '' } = await ask(zone('%{l}'.repeat(250)), { reversePath, receiver }).verdict;
    expect(explanation).toMatch(/^[\x20-\x7e]+$/);
    expect(explanation.length).toBeLessThan(310);
  });

  test.each([
    ['for a pass', {}, { clientAddress: '192.0.2.7', receiver }],
    ['where nobody is there to whom', {}, {}],
    ['for another result', { 'example.com': { TXT: ['v=spf1 ~all exp=why.example.com'] } }, { receiver }],
  ])('but does not ask %s', async (_, more, sender) => {
    const { resolver, verdict } = ask({ ...zone('because'), ...more }, sender);
    expect(await verdict).not.toHaveProperty('explanation');
    expect(resolver.questions).toEqual([{ name: 'example.com', type: 'TXT' }]);
  });

  test('though more look-ups than are allowed would be needed to say it, the failure stands', async () => {
    const record = 'v=spf1 a:x.example a:y.example -all exp=why.example.com';
    const { verdict } = ask(zone('%{p} is not ours', record), { receiver });
    expect(await verdict).toMatchObject({ result: 'fail' });
    expect(await verdict).not.toHaveProperty('explanation');
  });
});

describe('checkSpf() knows whom to ask about', () => {
  const zone = {
    'example.com': { TXT: ['v=spf1 exists:%{l}.%{o}.s.example -all'] },
    'a.example.com.s.example': { A: ['127.0.0.2'] },
    'client.example': { TXT: ['v=spf1 ip4:192.0.2.1 ip6:2001:db8::/32 -all'] },
  };

  test('the HELO name for a null sender (§2.4), also in IPv6', async () => {
    const helo = { result: 'pass', scope: 'helo', domain: 'client.example' };
    expect(await ask(zone, { reversePath: '' }).verdict).toMatchObject(helo);
    const six = { reversePath: '', clientAddress: '2001:db8::7' };
    expect(await ask(zone, six).verdict).toMatchObject({ ...helo, mechanism: 'ip6:2001:db8::/32' });
    expect(await ask(zone, { ...six, clientAddress: 'fe80::1%eth0' }).verdict).toMatchObject({
      result: 'fail',
    });
  });

  test.each([
    ['a HELO name that is an address', { reversePath: '', helo: '[192.0.2.1]' }, 'none'],
    ['a HELO name of one label', { reversePath: '', helo: 'localhost' }, 'none'],
    ['no HELO name', { reversePath: '', helo: '' }, 'none'],
    ['a client without an address', { clientAddress: '' }, 'permerror'],
    ['a name that is too long', { reversePath: `a@${'x'.repeat(600)}` }, 'none'],
    ['a name with an empty label', { reversePath: 'a@example..com' }, 'none'],
    ['a sender in upper case', { reversePath: 'A@Example.COM' }, 'pass'],
  ])('%s', async (_, sender, result) => {
    expect((await ask(zone, sender).verdict).result).toBe(result);
  });

  test('an international domain is asked for in A-labels (RFC 8616)', async () => {
    const { verdict } = ask(
      { 'xn--bcher-kva.example': { TXT: ['v=spf1 +all'] } },
      { reversePath: 'a@b\u00fccher.example' },
    );
    expect(await verdict).toMatchObject({ result: 'pass', domain: 'xn--bcher-kva.example' });
  });
});
