import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HttpsAnswer, HttpsFailure } from '../../net/https.ts';
import type { Memo } from '../../store/memo-store.ts';
import { type FakeClock, fakeClock } from '../../testing/fake-clock.ts';
import { type ScriptedResolver, scriptedResolver } from '../../testing/scripted-resolver.ts';
import type { TlsResult } from '../../tls-rpt/result.ts';
import { createLog } from '../../util/log.ts';
import { defaultStsLimits, type StsLimits } from './sts-limits.ts';
import { StsPolicies } from './sts-policies.ts';

const dayMs = 86_400_000;
const announced = (id: string) => ({ '_mta-sts.example.net': { TXT: [`v=STSv1; id=${id};`] } });

let clock: FakeClock;
let resolver: ScriptedResolver;
let memos: Map<string, Memo>;
let results: TlsResult[];
let fetched: string[];
/** What the web server says. */
let answer: HttpsAnswer | HttpsFailure;
const opened: StsPolicies[] = [];

beforeEach(() => {
  clock = fakeClock(Date.UTC(2026, 0, 1));
  resolver = scriptedResolver(announced('1'));
  memos = new Map();
  results = [];
  fetched = [];
  answer = page('enforce');
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((policies) => policies.close()));
});

function page(mode: string, maxAge = 7 * 86_400): HttpsAnswer {
  const body = Buffer.from(`version: STSv1\nmode: ${mode}\nmx: mx.example.net\nmax_age: ${maxAge}\n`);
  return { status: 200, headers: { 'content-type': 'text/plain' }, body, certificate: 'verified' };
}

const down: HttpsFailure = { kind: 'connect', problem: 'connection refused' };

function open(limits: Partial<StsLimits> = {}): StsPolicies {
  const policies = new StsPolicies({
    resolver,
    clock,
    log: createLog('silent'),
    https: async ({ url }) => {
      fetched.push(url.hostname);
      return answer;
    },
    store: {
      writeMemos: async (written) => {
        for (const memo of written) memos.set(memo.key, memo);
      },
      listMemos: async () => [...memos.values()],
      findMemo: async (_, key) => memos.get(key),
    },
    onTlsResult: (result) => results.push(result),
    limits,
  });
  opened.push(policies);
  return policies;
}

/** Lets what is under way come to its end. */
const settled = () => new Promise(setImmediate);

describe('StsPolicies', () => {
  it('P9: fetches what DNS announces, once, and keeps it', async () => {
    const policies = open();
    const [found, again] = await Promise.all([policies.find('example.net'), policies.find('example.net')]);
    expect(found.policy).toMatchObject({ domain: 'example.net', id: '1', mode: 'enforce' });
    expect(found.note).toBe('MTA-STS of example.net: enforce, policy 1, fetched 2026-01-01T00:00:00.000Z');
    expect(again).toEqual(found);
    await policies.find('example.net');
    expect(fetched).toEqual(['mta-sts.example.net']);
  });

  it('P9: asks no web server where DNS announces nothing, and believes that for as long as DNS says', async () => {
    resolver.rewrite({});
    const policies = open();
    expect(policies.isKnownAbsent('example.net')).toBe(false);
    expect(await policies.find('example.net')).toEqual({});
    expect(fetched).toEqual([]);
    expect(policies.isKnownAbsent('example.net')).toBe(true);
    clock.advance(defaultStsLimits.absenceMs);
    expect(policies.isKnownAbsent('example.net')).toBe(false);
  });

  it('does not wait again and again for DNS that says nothing of a domain without a policy', async () => {
    resolver.rewrite({}, { failures: { '_mta-sts.example.net': 'timeout' } });
    const policies = open();
    expect(await policies.find('example.net')).toEqual({ isUnknown: true });
    expect(policies.isKnownAbsent('example.net')).toBe(true);
    clock.advance(defaultStsLimits.silenceMs);
    expect(policies.isKnownAbsent('example.net')).toBe(false);
  });

  it('P9: fetches again when the id changes', async () => {
    const policies = open();
    await policies.find('example.net');
    resolver.rewrite(announced('2'));
    answer = page('testing');
    expect((await policies.find('example.net')).policy).toMatchObject({ id: '2', mode: 'testing' });
    expect(fetched).toHaveLength(2);
  });

  it('P9: a policy of mode none is none', async () => {
    answer = page('none');
    const policies = open();
    const { policy, note } = await policies.find('example.net');
    expect(policy).toBeUndefined();
    expect(note).toContain('none, policy 1');
  });

  it.each<[string, () => void]>([
    ['the web server is away and the id is new', () => resolver.rewrite(announced('2'))],
    ['the record is gone', () => resolver.rewrite({})],
    ['DNS fails', () => resolver.rewrite({}, { failures: { '_mta-sts.example.net': 'servfail' } })],
  ])('P9: keeps what it had where %s', async (_, change) => {
    const policies = open();
    await policies.find('example.net');
    answer = down;
    change();
    expect((await policies.find('example.net')).policy).toMatchObject({ id: '1', mode: 'enforce' });
  });

  it('P9: a policy that is too old is none, unless it can be had anew', async () => {
    answer = page('enforce', 3600);
    const policies = open();
    await policies.find('example.net');
    clock.advance(3600_000);
    answer = down;
    const { policy, note, isUnknown } = await policies.find('example.net');
    expect([policy, isUnknown]).toEqual([undefined, true]);
    expect(note).toMatch(/no policy can be had; the last fetch failed: .*connection refused/);
    clock.advance(defaultStsLimits.backOffMs);
    answer = page('enforce', 3600);
    expect((await policies.find('example.net')).policy).toMatchObject({ mode: 'enforce' });
  });

  it('P9: tries again five minutes after a fetch that failed, not before, and tells of each', async () => {
    answer = down;
    const policies = open();
    await policies.find('example.net');
    await policies.find('example.net');
    clock.advance(defaultStsLimits.backOffMs - 1);
    await policies.find('example.net');
    expect(fetched).toHaveLength(1);
    clock.advance(1);
    await policies.find('example.net');
    expect(fetched).toHaveLength(2);
    const policy = { type: 'sts', domain: 'example.net', strings: [], mxHosts: [] };
    const failure = { type: 'sts-policy-fetch-error', reason: expect.stringContaining('connection refused') };
    expect(results).toMatchObject([
      { domain: 'example.net', policy, failure },
      { domain: 'example.net', policy, failure },
    ]);
  });

  it('P9: refreshes every day, also what nobody sends under, so that nobody can wait for it to expire', async () => {
    const policies = open();
    await policies.start();
    await policies.find('example.net');
    clock.advance(dayMs);
    await settled();
    expect(fetched).toHaveLength(2);
    answer = down;
    clock.advance(dayMs);
    await settled();
    expect(fetched.length).toBeGreaterThan(2);
    expect((await policies.find('example.net')).policy).toMatchObject({
      fetchedAt: Date.UTC(2026, 0, 2),
    });
  });

  it('P9: refreshes at once what it had fetched while our clock was ahead', async () => {
    clock.advance(400 * dayMs);
    await open().find('example.net');
    clock = fakeClock(Date.UTC(2026, 0, 1));
    const next = open();
    await next.start();
    await next.find('example.net');
    await settled();
    expect((await next.find('example.net')).policy).toMatchObject({ fetchedAt: Date.UTC(2026, 0, 1) });
    expect(fetched).toHaveLength(2);
  });

  it('P9: a policy outlives a restart, until it is too old', async () => {
    await open().find('example.net');
    expect(memos.get('example.net')).toMatchObject({ expiresAt: clock.now() + 7 * dayMs });
    answer = down;
    resolver.rewrite({});
    const next = open();
    await next.start();
    expect((await next.find('example.net')).policy).toMatchObject({ id: '1' });
    clock.advance(7 * dayMs);
    expect(await next.find('example.net')).toEqual({});
  });

  it('P9: keeps so many policies in memory, and knows of the others from the store', async () => {
    resolver.rewrite({ ...announced('1'), '_mta-sts.example.org': { TXT: ['v=STSv1; id=1'] } });
    const policies = open({ policies: 1 });
    await policies.find('example.net');
    await policies.find('example.org');
    resolver.rewrite({});
    answer = down;
    expect((await policies.find('example.org')).policy).toBeDefined();
    expect((await policies.find('example.net')).policy).toMatchObject({ domain: 'example.net', id: '1' });
    memos.clear();
    expect((await policies.find('example.org')).policy).toBeUndefined();
  });

  it('lets only so many fetches wait, and does without the others', async () => {
    const waiting = Promise.withResolvers<HttpsAnswer>();
    resolver.rewrite({ ...announced('1'), '_mta-sts.example.org': { TXT: ['v=STSv1; id=1'] } });
    const policies = new StsPolicies({
      resolver,
      clock,
      log: createLog('silent'),
      https: () => waiting.promise,
      limits: { fetches: 1, waitingFetches: 0 },
    });
    const first = policies.find('example.net');
    await settled();
    expect((await policies.find('example.org')).note).toContain('too many policies are being fetched');
    waiting.resolve(page('enforce'));
    expect((await first).policy).toBeDefined();
    await policies.close();
  });

  it('lets a fetch wait only so long for its turn, and reports nothing of it: it is not the domain’s doing', async () => {
    const waiting = Promise.withResolvers<HttpsAnswer>();
    resolver.rewrite({ ...announced('1'), '_mta-sts.example.org': { TXT: ['v=STSv1; id=1'] } });
    const policies = new StsPolicies({
      resolver,
      clock,
      log: createLog('silent'),
      https: () => waiting.promise,
      onTlsResult: (result) => results.push(result),
      limits: { fetches: 1 },
    });
    const first = policies.find('example.net');
    await settled();
    const second = policies.find('example.org');
    await settled();
    clock.advance(defaultStsLimits.turnMs);
    expect((await second).note).toContain('too many policies are being fetched');
    expect(results).toEqual([]);
    waiting.resolve(page('enforce'));
    expect((await first).policy).toBeDefined();
    clock.advance(defaultStsLimits.backOffMs);
    expect((await policies.find('example.org')).policy).toBeDefined();
    await policies.close();
  });

  it('who stops waits no longer, and the fetch goes on for others', async () => {
    const waiting = Promise.withResolvers<HttpsAnswer>();
    const policies = new StsPolicies({
      resolver,
      clock,
      log: createLog('silent'),
      https: () => waiting.promise,
    });
    const stop = new AbortController();
    const [leaving, staying] = [policies.find('example.net', stop.signal), policies.find('example.net')];
    await settled();
    stop.abort(new Error('stopped'));
    await expect(leaving).rejects.toThrow('stopped');
    waiting.resolve(page('enforce'));
    expect((await staying).policy).toMatchObject({ id: '1' });
    await policies.close();
  });
});
