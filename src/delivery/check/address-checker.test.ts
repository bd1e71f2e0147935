import { beforeEach, expect, test } from 'vitest';
import type { ZoneData } from '../../dns/zone-data.ts';
import { type FakeClock, fakeClock } from '../../testing/fake-clock.ts';
import { type ScriptedResolver, scriptedResolver } from '../../testing/scripted-resolver.ts';
import { AddressChecker, type CheckLimits, defaultCheckLimits } from './address-checker.ts';
import { type CheckParts, calloutTimeouts } from './check-address.ts';

const minuteMs = 60_000;

let clock: FakeClock;
let resolver: ScriptedResolver;
beforeEach(() => {
  clock = fakeClock();
  const none: ZoneData = {};
  resolver = scriptedResolver(none, { failures: { 'broken.example': 'servfail' } });
});

function checkerWith(limits: Partial<CheckLimits> = {}, changes: Partial<CheckParts> = {}): AddressChecker {
  const parts: CheckParts = {
    resolver,
    clock,
    timeouts: calloutTimeouts,
    pool: { open: () => Promise.reject(new Error('nobody is to be asked')) },
    nobody: () => 'nobody',
    route: {
      hostname: 'mx.example.com',
      isOurs: () => false,
      port: 25,
      allowPrivateAddresses: false,
      random: () => 0,
      clock,
    },
    ...changes,
  };
  return new AddressChecker(parts, { ...defaultCheckLimits, ...limits });
}

test('M11: AddressChecker remembers a clear answer for longer than one that tells nothing', async () => {
  const checker = checkerWith();
  const first = await checker.check('bob@nowhere.example');
  expect(first).toMatchObject({ verdict: 'undeliverable' });
  await checker.check('bob@broken.example');
  clock.advance(defaultCheckLimits.unclearMs);
  expect(await checker.check('BOB@nowhere.example')).toBe(first);
  expect(resolver.questions).toHaveLength(2);
  await checker.check('bob@broken.example');
  expect(resolver.questions).toHaveLength(3);
  clock.advance(defaultCheckLimits.clearMs);
  expect(await checker.check('bob@nowhere.example')).not.toBe(first);
});

test('M11: AddressChecker asks again where that is wanted, and remembers the new answer', async () => {
  const checker = checkerWith();
  expect(await checker.check('bob@broken.example')).toMatchObject({ verdict: 'cannot tell' });
  resolver.rewrite({});
  expect(await checker.check('bob@broken.example')).toMatchObject({ verdict: 'cannot tell' });
  expect(await checker.check('bob@broken.example', { fresh: true })).toMatchObject({
    verdict: 'undeliverable',
  });
  expect(await checker.check('bob@broken.example')).toMatchObject({ verdict: 'undeliverable' });
});

test('M11: AddressChecker asks once for those who ask at the same moment', async () => {
  const checker = checkerWith();
  const [one, other] = await Promise.all([
    checker.check('bob@nowhere.example'),
    checker.check('bob@nowhere.example'),
  ]);
  expect(one).toBe(other);
});

test('M11: AddressChecker remembers only so many answers', async () => {
  const checker = checkerWith({ remembered: 2 });
  for (const name of ['a', 'b', 'c', 'b', 'a']) await checker.check(`x@${name}.example`);
  expect(resolver.questions.map(({ name }) => name[0]).join('')).toBe('abca');
});

test('M11: AddressChecker asks a domain only so often in an hour, and in all', async () => {
  const checker = checkerWith({ perDomainAndHour: 2, perHour: 3 });
  for (const name of ['a', 'b']) await checker.check(`${name}@nowhere.example`);
  clock.advance(10 * minuteMs);
  expect(await checker.check('c@nowhere.example')).toEqual({
    notChecked: 'too many',
    text: '2 addresses of nowhere.example have been checked within an hour; more could get us refused there. Ask again in 50 min.',
  });
  expect(await checker.check('a@nowhere.example')).toMatchObject({ verdict: 'undeliverable' });
  expect(await checker.check('a@other.example')).toMatchObject({ verdict: 'undeliverable' });
  expect(await checker.check('a@third.example')).toMatchObject({
    text: '3 addresses have been checked within an hour. Ask again in 50 min.',
  });
  clock.advance(50 * minuteMs);
  expect(await checker.check('c@nowhere.example')).toMatchObject({ verdict: 'undeliverable' });
});

test('M11: AddressChecker neither counts nor remembers what needs no question', async () => {
  let own: 'known' | 'unknown' = 'unknown';
  const checker = checkerWith({ perHour: 0 }, { findOwn: async () => own });
  expect(await checker.check('bob@example.com')).toMatchObject({ verdict: 'undeliverable' });
  own = 'known';
  expect(await checker.check('bob@example.com')).toMatchObject({ verdict: 'deliverable' });
  expect(await checker.check('no address')).toMatchObject({ verdict: 'undeliverable' });
});

test('M11: AddressChecker breaks off what is under way when the server stops', async () => {
  const waiting = {
    resolve: (_name: string, _type: string, signal?: AbortSignal) =>
      new Promise<never>((_resolve, reject) => {
        signal?.throwIfAborted();
        signal?.addEventListener('abort', () => reject(signal.reason));
      }),
  };
  const checker = checkerWith({}, { resolver: waiting });
  const answer = checker.check('bob@example.net');
  checker.stop();
  expect(await answer).toMatchObject({ notChecked: 'stopping' });
});
