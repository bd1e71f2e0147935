import { describe, expect, it } from 'vitest';
import { scriptedResolver } from '../../testing/scripted-resolver.ts';
import { systemClock } from '../../util/clock.ts';
import {
  endpointsOf,
  findRoute,
  maxEndpoints,
  maxHosts,
  type RouteOptions,
  routedData,
  siteKey,
} from './route.ts';

type Zone = Parameters<typeof scriptedResolver>[0];
type Script = Parameters<typeof scriptedResolver>[1];

const options: RouteOptions = {
  hostname: 'mx.example.com',
  isOurs: ({ address, port }) => address === '192.0.2.99' && port === 25,
  port: 25,
  allowPrivateAddresses: false,
  random: () => 0.5,
  clock: systemClock,
};

const two: Zone = {
  'example.net': {
    MX: [
      [20, 'mx2.example.net'],
      [10, 'mx1.example.net'],
    ],
    A: ['192.0.2.80'],
  },
  'mx1.example.net': { A: ['192.0.2.1', '192.0.2.2'], AAAA: ['2001:db8::1'] },
  'mx2.example.net': { A: ['192.0.2.3'] },
};

function find(data: Zone, changed: Partial<RouteOptions> & { domain?: string; script?: Script } = {}) {
  const { domain = 'example.net', script, ...rest } = changed;
  return findRoute(scriptedResolver(data, script), domain, { ...options, ...rest });
}

/** The addresses in the order in which they are tried, or the outcome's kind and status. */
async function tried(...args: Parameters<typeof find>): Promise<string[]> {
  const found = await find(...args);
  return found.kind === 'route'
    ? endpointsOf(found).map(({ address }) => address)
    : [found.kind, found.status];
}

describe('findRoute()', () => {
  it('M2: gives every MX in order of preference', async () => {
    expect(await tried(two)).toEqual(['2001:db8::1', '192.0.2.1', '192.0.2.2', '192.0.2.3']);
  });

  it('P13: tries IPv6 first, and then IPv4 and IPv6 by turns', async () => {
    const data: Zone = {
      'example.net': { A: ['192.0.2.1', '192.0.2.2'], AAAA: ['2001:db8::1', '2001:db8::2'] },
    };
    expect(await tried(data)).toEqual(['2001:db8::1', '192.0.2.1', '2001:db8::2', '192.0.2.2']);
  });

  it('not-17: uses IPv6 where there is nothing else', async () => {
    const data: Zone = {
      'example.net': { MX: [[0, 'mx.example.net']] },
      'mx.example.net': { AAAA: ['2001:db8::9'] },
    };
    expect(await tried(data)).toEqual(['2001:db8::9']);
  });

  it('M2: mixes hosts of equal preference', async () => {
    const data: Zone = {
      'example.net': {
        MX: [
          [10, 'a.example.net'],
          [10, 'b.example.net'],
        ],
      },
      'a.example.net': { A: ['192.0.2.1'] },
      'b.example.net': { A: ['192.0.2.2'] },
    };
    const lots = (...numbers: number[]) => ({ random: () => numbers.shift() ?? 0 });
    expect(await tried(data, lots(0.1, 0.9))).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(await tried(data, lots(0.9, 0.1))).toEqual(['192.0.2.2', '192.0.2.1']);
  });

  it('not-3: M2: without any MX the domain itself is the host', async () => {
    const data: Zone = { 'example.net': { A: ['192.0.2.80'], AAAA: ['2001:db8::80'] } };
    expect(await tried(data)).toEqual(['2001:db8::80', '192.0.2.80']);
  });

  it('not-3: a null MX ends it at once, although there is an address', async () => {
    const data: Zone = { 'example.net': { MX: [[0, '']], A: ['192.0.2.80'] } };
    expect(await find(data)).toMatchObject({
      kind: 'failed',
      status: '5.1.10',
      reason: expect.stringContaining('null MX'),
    });
  });

  it('M2: an MX whose hosts have no address is an error, not a reason to try the domain', async () => {
    expect(await tried({ 'example.net': { MX: [[0, 'gone.example.net']], A: ['192.0.2.80'] } })).toEqual([
      'failed',
      '5.4.4',
    ]);
  });

  it('leaves out hosts that have no address', async () => {
    const data: Zone = {
      ...two,
      'example.net': {
        MX: [
          [0, 'gone.example.net'],
          [10, 'mx2.example.net'],
        ],
      },
    };
    expect(await tried(data)).toEqual(['192.0.2.3']);
  });

  it.each([
    ['no such domain', {}, {}, ['failed', '5.1.2']],
    ['neither MX nor address', { 'example.net': { TXT: ['x'] } }, {}, ['failed', '5.4.4']],
    ['MX: SERVFAIL', two, { 'example.net MX': 'servfail' }, ['deferred', '4.4.3']],
    ['MX: timeout', two, { 'example.net MX': 'timeout' }, ['deferred', '4.4.3']],
    [
      'no address known now',
      two,
      { 'mx1.example.net': 'timeout', 'mx2.example.net': 'timeout' },
      ['deferred', '4.4.3'],
    ],
    ['one host not known now', two, { 'mx1.example.net': 'timeout' }, ['192.0.2.3']],
    [
      'IPv6 not known now',
      two,
      { 'mx1.example.net AAAA': 'timeout' },
      ['192.0.2.1', '192.0.2.2', '192.0.2.3'],
    ],
  ] as const)('not-5: with %s', async (_, data, failures, expected) => {
    expect(await tried(data, { script: { failures } })).toEqual(expected);
  });

  it('follows an alias at an MX host', async () => {
    const data: Zone = {
      'example.net': { MX: [[0, 'alias.example.net']] },
      'alias.example.net': { CNAME: 'mx.example.net' },
      'mx.example.net': { A: ['192.0.2.7'] },
    };
    expect(await tried(data)).toEqual(['192.0.2.7']);
  });

  it('follows an alias at the domain, with MX behind it and without', async () => {
    const data: Zone = {
      'example.net': { CNAME: 'real.example.org' },
      'real.example.org': { MX: [[0, 'mx.example.org']], A: ['192.0.2.80'] },
      'mx.example.org': { A: ['192.0.2.7'] },
    };
    expect(await tried(data)).toEqual(['192.0.2.7']);
    expect(await tried({ ...data, 'real.example.org': { A: ['192.0.2.80'] } })).toEqual(['192.0.2.80']);
    expect(await tried({ ...data, 'real.example.org': { MX: [[0, '']] } })).toEqual(['failed', '5.1.10']);
    expect(await tried({ 'example.net': { CNAME: 'gone.example.org' } })).toEqual(['failed', '5.1.2']);
  });

  it('not-5: an alias without end is a failure of DNS, which may be mended', async () => {
    expect(await tried({ 'example.net': { CNAME: 'example.net' } })).toEqual(['deferred', '4.4.3']);
    const data: Zone = {
      'example.net': { MX: [[0, 'a.example.net']] },
      'a.example.net': { CNAME: 'a.example.net' },
    };
    expect(await tried(data)).toEqual(['deferred', '4.4.3']);
  });

  it('says that it is incomplete where DNS does not tell of a host now', async () => {
    const script: Script = { failures: { 'mx1.example.net': 'servfail' } };
    expect(await find(two, { script })).toMatchObject({ kind: 'route', isIncomplete: true });
    expect(await find(two)).not.toHaveProperty('isIncomplete');
  });

  it('not-5: one host without an address now, the others without any: not given up', async () => {
    const script: Script = { failures: { 'mx1.example.net': 'servfail' } };
    expect(await tried({ ...two, 'mx2.example.net': {} }, { script })).toEqual(['deferred', '4.4.3']);
  });

  it.each<[string, NonNullable<Zone[string]['MX']>, string[]]>([
    [
      'an address instead of a name',
      [
        [0, '192.0.2.9'],
        [10, 'mx2.example.net'],
      ],
      ['192.0.2.3'],
    ],
    ['nothing but an address', [[0, '192.0.2.9']], ['failed', '5.4.4']],
    [
      'a null MX beside others',
      [
        [0, ''],
        [10, 'mx2.example.net'],
      ],
      ['192.0.2.3'],
    ],
    [
      'a host several times',
      [
        [20, 'mx2.example.net'],
        [10, 'mx2.example.net'],
      ],
      ['192.0.2.3'],
    ],
    [
      'a name that no host can have',
      [
        [0, 'mx$.example.net'],
        [10, 'mx2.example.net'],
      ],
      ['192.0.2.3'],
    ],
    ['only names that no host can have', [[0, 'mx!.example.net']], ['deferred', '4.4.3']],
    ['localhost', [[0, 'localhost']], ['failed', '5.4.6']],
  ])('bad input: MX with %s', async (_, MX, expected) => {
    const data: Zone = { ...two, 'example.net': { MX, A: ['192.0.2.80'] } };
    expect(await tried(data)).toEqual(expected);
  });

  it.each([
    ['[192.0.2.5]', '192.0.2.5'],
    ['[IPv6:2001:db8::5]', '2001:db8::5'],
  ])('needs no DNS for %s', async (domain, address) => {
    expect(await tried({}, { domain })).toEqual([address]);
  });

  it('bounds hosts and addresses', async () => {
    const names = Array.from({ length: 30 }, (_, index) => `mx${index}.example.net`);
    const data: Zone = {
      'example.net': { MX: names.map((name, index) => [index, name]) },
      ...Object.fromEntries(
        names.map((name) => [name, { A: Array.from({ length: 20 }, (_, i) => `192.0.2.${i}`) }]),
      ),
    };
    const found = await find(data);
    if (found.kind !== 'route') throw new Error('no route');
    expect([found.hosts.length, endpointsOf(found).length]).toEqual([maxHosts, maxEndpoints]);
  });
});

describe('findRoute() and ourselves', () => {
  const chain: Zone = {
    'example.net': {
      MX: [
        [10, 'better.example.net'],
        [20, 'mx.example.com'],
        [20, 'equal.example.net'],
        [30, 'worse.example.net'],
      ],
    },
    'better.example.net': { A: ['192.0.2.1'] },
    'mx.example.com': { A: ['192.0.2.50'] },
    'equal.example.net': { A: ['192.0.2.2'] },
    'worse.example.net': { A: ['192.0.2.3'] },
  };

  it('duty-8: a backup MX sends only to better ones', async () => {
    expect(await tried(chain)).toEqual(['192.0.2.1']);
  });

  it('duty-8: knows itself by address too', async () => {
    expect(
      await tried({ ...chain, 'equal.example.net': { A: ['192.0.2.99'] }, 'mx.example.com': {} }),
    ).toEqual(['192.0.2.1']);
    expect(await tried({ 'example.net': { A: ['192.0.2.99'] } })).toEqual(['failed', '5.4.6']);
  });

  it('duty-8: an MX that is ourselves is a loop, also where private addresses are allowed', async () => {
    const data: Zone = {
      'example.net': { MX: [[0, 'MX.example.com']] },
      'mx.example.com': { A: ['192.0.2.50'] },
    };
    expect(await tried(data)).toEqual(['failed', '5.4.6']);
    expect(await tried(data, { allowPrivateAddresses: true })).toEqual(['failed', '5.4.6']);
  });

  it.each([
    '127.0.0.1',
    '10.0.0.1',
    '169.254.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '::1',
    'fd00::1',
    'fe80::1',
    '::ffff:127.0.0.1',
  ])('duty-8: %s is not a way in', async (address) => {
    const record = address.includes(':') ? { AAAA: [address] } : { A: [address] };
    const data: Zone = { 'example.net': { MX: [[0, 'mx.example.net']] }, 'mx.example.net': record };
    expect(await tried(data)).toEqual(['failed', '5.4.6']);
    expect(await tried({ 'example.net': record })).toEqual(['failed', '5.4.6']);
    expect(await tried(data, { allowPrivateAddresses: true })).toHaveLength(1);
  });

  it('duty-8: a private address beside public ones is left out, and the dossier says so', async () => {
    const data: Zone = { 'example.net': { A: ['127.0.0.1', '192.0.2.1'] } };
    expect(await tried(data)).toEqual(['192.0.2.1']);
    expect((await find(data)).answers).toContain('example.net [127.0.0.1]: left out, loopback address');
  });

  it('duty-8: a private address literal is refused', async () => {
    expect(await tried({}, { domain: '[127.0.0.1]' })).toEqual(['failed', '5.4.6']);
  });
});

describe('siteKey()', () => {
  it('is the same for domains with the same hosts, whatever the order', async () => {
    const data: Zone = {
      ...two,
      'example.org': { MX: two['example.net']?.MX?.toReversed() ?? [] },
      'other.example': { MX: [[10, 'mx1.example.net']] },
    };
    const keyOf = async (domain: string) => {
      const found = await find(data, { domain });
      return found.kind === 'route' ? siteKey(found) : undefined;
    };
    expect(await keyOf('example.org')).toBe(await keyOf('example.net'));
    expect(await keyOf('other.example')).not.toBe(await keyOf('example.net'));
  });
});

describe('routedData()', () => {
  it('tells what DNS said and which hosts follow', async () => {
    const { 'mx1.example.net': mx1 = {} } = two;
    const data: Zone = { 'example.net': { MX: [[10, 'mx1.example.net']] }, 'mx1.example.net': mx1 };
    expect(routedData(await find(data))).toEqual({
      domain: 'example.net',
      answers: [
        'MX example.net: 10 mx1.example.net (ttl 300)',
        'AAAA mx1.example.net: 2001:db8::1 (ttl 300)',
        'A mx1.example.net: 192.0.2.1, 192.0.2.2 (ttl 300)',
      ],
      hosts: ['10 mx1.example.net [2001:db8::1] [192.0.2.1] [192.0.2.2]'],
      durationMs: expect.any(Number),
    });
    expect(routedData(await find({}))).toMatchObject({
      answers: ['MX example.net: no such name'],
      hosts: [],
    });
  });
});
