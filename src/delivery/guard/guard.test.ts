import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Config } from '../../config/config.ts';
import { reverseName } from '../../dns/reverse.ts';
import type { ZoneData } from '../../dns/zone-data.ts';
import { eventually } from '../../testing/eventually.ts';
import { type FakeClock, fakeClock } from '../../testing/fake-clock.ts';
import { scriptedResolver } from '../../testing/scripted-resolver.ts';
import { type TemporaryStore, temporaryStore } from '../../testing/store.ts';
import { createLog } from '../../util/log.ts';
import { Guard, type GuardParts, subjectsOf } from './guard.ts';

const [four, six] = ['192.0.2.1', '2001:db8::1'];
const hourMs = 3600_000;

const config: Pick<Config, 'hostname' | 'sources' | 'domains' | 'guard'> = {
  hostname: 'mx.example.com',
  sources: [],
  domains: [{ name: 'example.com' }],
  guard: { enabled: true, blocklists: [] },
};

const wellKept: ZoneData = {
  [reverseName(four)]: { PTR: ['mx.example.com'] },
  [reverseName(six)]: { PTR: ['mx.example.com'] },
  'mx.example.com': { A: [four], AAAA: [six] },
  'example.com': { TXT: ['v=spf1 a:mx.example.com -all'] },
};
const withoutPtr = { ...wellKept, [reverseName(six)]: {} };

let clock: FakeClock;
let kept: TemporaryStore;
let logged: string[];
beforeEach(async () => {
  clock = fakeClock();
  kept = await temporaryStore({ clock });
  logged = [];
});
afterEach(() => kept[Symbol.asyncDispose]());

function guardOver(
  data: ZoneData,
  { tryAddress = async () => undefined }: Pick<GuardParts, 'tryAddress'> = {},
) {
  const resolver = scriptedResolver(data);
  const log = createLog('info', { write: (line) => void logged.push(JSON.parse(line).msg) });
  const guard = new Guard({
    config,
    resolver,
    clock,
    log,
    store: kept.store,
    machine: () => [four, six],
    tryAddress,
  });
  return { guard, resolver };
}

/** Its next look is planned, so the one before is over. */
const looked = () =>
  eventually(async () => clock.planned.some((at) => at >= clock.now() + hourMs) || undefined, {
    explain: () => 'no further look is planned',
  });

async function hoursPass(count: number): Promise<void> {
  for (let hour = 0; hour < count; hour++) {
    clock.advance(hourMs);
    await looked();
  }
}

describe('Guard', () => {
  it('P13: disqualifies an IPv6 address without PTR after three looks, an hour apart, and says so', async () => {
    const { guard } = guardOver(withoutPtr);
    await guard.start();
    await looked();
    expect(guard.of(six)).toMatchObject({ isFit: true, reason: expect.stringContaining('PTR') });
    await hoursPass(1);
    expect(guard.of(six).isFit).toBe(true);
    await hoursPass(1);
    expect([guard.of(six).isFit, guard.of(four)]).toEqual([false, { isFit: true, rank: 0 }]);
    expect(guard.spotless).toBe(false);
    expect(logged.at(-1)).toBe('nothing is sent from this address while another qualifies');
    await guard.stop();
  });

  it('P13: before the first look is over, an IPv6 address comes after the others', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const { guard } = guardOver(withoutPtr, { tryAddress: () => promise });
    await guard.start();
    expect(guard.of(six)).toMatchObject({ isFit: true, rank: 1, reason: expect.stringContaining('yet') });
    expect(guard.of(four)).toEqual({ isFit: true, rank: 0 });
    expect(guard.spotless).toBe(false);
    resolve(undefined);
    await looked();
    await guard.stop();
  });

  it('looks daily where all is well, and takes back what is mended', async () => {
    const { guard, resolver } = guardOver(withoutPtr);
    await guard.start();
    await looked();
    await hoursPass(2);
    resolver.rewrite(wellKept);
    await hoursPass(1);
    expect(guard.of(six)).toEqual({ isFit: true, rank: 0 });
    expect(logged.at(-1)).toBe('this address qualifies again');
    expect(guard.spotless).toBe(true);
    const laterLooks = () => clock.planned.filter((at) => at >= clock.now() + hourMs);
    expect(laterLooks()).toEqual([clock.now() + 24 * hourMs]);
    await guard.stop();
    expect(laterLooks()).toEqual([]);
  });

  it('remembers over a restart, before it has looked again', async () => {
    const { guard } = guardOver(withoutPtr);
    await guard.start();
    await looked();
    await hoursPass(2);
    await guard.stop();
    await kept.reopen();
    const { guard: next } = guardOver(withoutPtr);
    await next.start();
    expect(next.of(six).isFit).toBe(false);
    await next.stop();
  });

  it('answers who asks at once, with what it remembers from now on', async () => {
    const { guard } = guardOver(withoutPtr);
    const [ofFour, ofSix] = await guard.look();
    expect(ofFour).toMatchObject({ address: four, ehloName: 'mx.example.com', standing: { rank: 0 } });
    expect(ofSix?.findings.find(({ check }) => check === 'reverse')).toMatchObject({
      result: 'bad',
      failures: 1,
    });
    expect(guard.ofSystem(6)).toEqual([six]);
    expect(await kept.store.listMemos('guard')).toHaveLength(2);
  });
});

describe('subjectsOf()', () => {
  it('takes the public addresses of the machine where none is configured', () => {
    const machine = ['10.0.0.1', 'fe80::1', '::1', six, '2001:DB8:0::1', four];
    expect(subjectsOf(config, machine).map(({ address }) => address)).toEqual([six, four]);
  });

  it('asks a source about the domains whose mail it sends', () => {
    const domains = ['example.com', 'example.org', 'example.net'].map((name) => ({ name }));
    const sources = [
      { address: four, senders: [] },
      {
        address: '10.0.0.1',
        publicAddress: '192.0.2.7',
        ehloName: 'out.example.org',
        senders: ['example.org'],
      },
      { address: six, senders: ['news@example.net', 'other.example'] },
    ];
    expect(subjectsOf({ ...config, domains, sources }, [])).toEqual([
      {
        address: four,
        publicAddress: four,
        ehloName: 'mx.example.com',
        domains: ['example.com', 'example.net'],
      },
      {
        address: '10.0.0.1',
        publicAddress: '192.0.2.7',
        ehloName: 'out.example.org',
        domains: ['example.org'],
      },
      { address: six, publicAddress: six, ehloName: 'mx.example.com', domains: ['example.net'] },
    ]);
  });
});
