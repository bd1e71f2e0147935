import { describe, expect, it } from 'vitest';
import { setupMachine } from '../testing/setup-machine.ts';
import { findAddresses } from './addresses.ts';
import { checkClock } from './clock-check.ts';
import { chooseName } from './host-name.ts';
import { checkOutbound } from './outbound.ts';
import { checkPorts } from './ports.ts';
import { checkResolver } from './resolver.ts';

describe('findAddresses()', () => {
  const look = (more: Partial<Parameters<typeof findAddresses>[0]>) =>
    findAddresses({
      machine: [],
      inside: [],
      given: [],
      configured: undefined,
      hostname: 'mx.example.com',
      resolver: setupMachine({ records: { 'mx.example.com': { A: ['198.51.100.3'] } } }).resolver,
      ...more,
    });

  it('takes those of the interfaces', async () => {
    expect(await look({ machine: ['203.0.113.7', '2001:db8::7'] })).toMatchObject({
      state: 'good',
      value: { public: ['203.0.113.7', '2001:db8::7'], translated: [] },
      details: [],
    });
  });

  it('behind NAT takes what DNS says of the name', async () => {
    expect((await look({ inside: ['10.0.0.5'] })).value).toEqual({
      public: ['198.51.100.3'],
      translated: [{ address: '10.0.0.5', publicAddress: '198.51.100.3' }],
    });
  });

  it('says how to name them where nobody knows', async () => {
    const { state, remedy } = await look({ hostname: 'mx.example.net' });
    expect([state, remedy]).toEqual(['failed', expect.stringContaining('--address')]);
  });

  it('warns of a machine that has only IPv6', async () => {
    expect((await look({ machine: ['2001:db8::7'] })).state).toBe('warning');
  });
});

describe('chooseName()', () => {
  const choose = (more: Partial<Parameters<typeof chooseName>[0]>, reverse?: string) =>
    chooseName({
      domain: 'example.com',
      given: undefined,
      configured: undefined,
      machine: 'vps123',
      addresses: ['203.0.113.7'],
      resolver: setupMachine({
        records: reverse === undefined ? {} : { '7.113.0.203.in-addr.arpa': { PTR: [reverse] } },
      }).resolver,
      ...more,
    });

  it.each([
    ['that of the configuration', { configured: 'a.example.com', given: 'b.example.com' }, 'a.example.com'],
    ['the one that is given', { given: 'b.example.com', machine: 'c.example.com' }, 'b.example.com'],
    ['that of the machine, in the domain', { machine: 'c.example.com' }, 'c.example.com'],
    ['mx. and the domain', { machine: 'c.example.net' }, 'mx.example.com'],
  ])('takes %s', async (_, more, expected) => {
    expect((await choose(more)).value).toBe(expected);
  });

  it('takes the reverse name of the address, in the domain', async () => {
    expect(await choose({}, 'post.example.com')).toMatchObject({ value: 'post.example.com', details: [] });
  });

  it('says which reverse name is wrong or missing, and what it must become', async () => {
    expect((await choose({}, 'vps123.provider.example')).details).toEqual([
      expect.stringMatching(/203\.0\.113\.7 is vps123\.provider\.example: it must become mx\.example\.com/),
    ]);
    expect((await choose({})).details).toEqual([expect.stringContaining('is missing: it must become')]);
  });
});

describe('checkPorts()', () => {
  const wanted = [25, 465].map((port) => ({
    protocol: port === 25 ? 'smtp' : 'submissions',
    address: '::',
    port,
  }));
  const look = (
    ports: Record<number, 'taken' | 'denied'>,
    {
      isRunning = false,
      isHeld = false,
      takesMail = true,
    }: { isRunning?: boolean; isHeld?: boolean; takesMail?: boolean } = {},
  ) =>
    checkPorts({
      wanted,
      isRunning,
      isHeld,
      takesMail,
      portState: setupMachine({ ports }).portState,
      holderOf: async (port) => (isHeld ? 'systemd (pid 1)' : `exim4 (pid ${port})`),
    });

  it('names who has a port', async () => {
    expect(await look({ 25: 'taken' })).toMatchObject({
      state: 'failed',
      value: [25],
      details: ['25 (smtp) is held by exim4 (pid 25)'],
    });
  });

  it('tells how each port is had that another program has: those of mail, and of the web', async () => {
    const all = await checkPorts({
      wanted: [...wanted, { protocol: 'https', address: '::', port: 443 }],
      ...{ isRunning: false, isHeld: false, takesMail: true },
      portState: setupMachine({ ports: { 25: 'taken', 443: 'taken' } }).portState,
      holderOf: async () => 'nginx (pid 80)',
    });
    expect(all).toMatchObject({ state: 'failed', value: [25, 443] });
    expect(all.remedy?.split('\n')).toEqual([
      expect.stringContaining('exim4 postfix'),
      expect.stringContaining('proxied = true'),
    ]);
  });

  it('has nothing against our own server, or free ports', async () => {
    expect((await look({ 25: 'taken', 465: 'taken' }, { isRunning: true })).state).toBe('good');
    expect((await look({ 25: 'taken', 465: 'taken' }, { isHeld: true })).state).toBe('good');
    expect((await look({})).state).toBe('good');
  });

  it('misses a listener for mail from outside, also while the server runs', async () => {
    for (const isRunning of [false, true])
      expect(await look({}, { isRunning, takesMail: false })).toMatchObject({
        state: 'failed',
        remedy: expect.stringContaining('protocol = "smtp"'),
      });
  });

  it('cannot tell without the right to try', async () => {
    expect((await look({ 25: 'denied' })).state).toBe('skipped');
  });
});

describe('checkOutbound()', () => {
  const records = {
    'gmail.com': { MX: [[20, 'far.gmail.com'] as const, [5, 'near.gmail.com'] as const] },
    'near.gmail.com': { A: ['192.0.2.25'] },
    'outlook.com': { MX: [[5, 'mx.outlook.com'] as const] },
    'mx.outlook.com': { A: ['192.0.2.26'] },
  };

  it('is content when one of the big receivers answers', async () => {
    const machine = setupMachine({ records, unreachable: { '192.0.2.25 25': 'no answer within 5 s' } });
    expect(await checkOutbound(machine)).toMatchObject({
      state: 'good',
      what: expect.stringContaining('192.0.2.26'),
    });
  });

  it('says what to do when none does', async () => {
    const why = 'no answer within 5 s';
    const machine = setupMachine({ records, unreachable: { '192.0.2.25 25': why, '192.0.2.26 25': why } });
    expect(await checkOutbound(machine)).toMatchObject({
      state: 'failed',
      details: [`gmail.com at 192.0.2.25: ${why}`, `outlook.com at 192.0.2.26: ${why}`],
      remedy: expect.stringContaining('[[transport]]'),
    });
  });

  it('cannot tell where DNS knows none of them', async () => {
    expect((await checkOutbound(setupMachine())).state).toBe('skipped');
  });
});

describe('checkResolver()', () => {
  const answering = (answer: object) =>
    checkResolver({ nameServers: ['192.0.2.53'], resolver: { resolve: async () => answer as never } });

  it.each([
    ['good', { status: 'found', records: [], ttl: 1, authentic: true }],
    ['warning', { status: 'found', records: [], ttl: 1, authentic: false }],
    ['failed', { status: 'failed', detail: 'no answer' }],
  ])('%s', async (state, answer) => {
    expect((await answering(answer)).state).toBe(state);
  });
});

describe('checkClock()', () => {
  const look = (output: string | undefined, now = Date.UTC(2026, 10, 28)) => {
    const { clock, run } = setupMachine({
      programs: () => (output === undefined ? undefined : { code: 0, output }),
    });
    return checkClock({ clock: { ...clock, now: () => now }, run });
  };

  it.each([
    ['good', 'yes\n'],
    ['warning', 'no\n'],
    ['skipped', undefined],
  ])('%s', async (state, output) => {
    expect((await look(output)).state).toBe(state);
  });

  it('knows a clock that cannot be right', async () => {
    expect((await look('yes\n', 0)).state).toBe('failed');
  });
});
