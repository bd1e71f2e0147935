import { expect, test, vi } from 'vitest';
import type { Resolver } from '../../dns/resolver.ts';
import { eventually } from '../../testing/eventually.ts';
import { fakeClock } from '../../testing/fake-clock.ts';
import { scriptedResolver } from '../../testing/scripted-resolver.ts';
import { createLog } from '../../util/log.ts';
import { firstLookMs, OwnAddresses, refreshMs } from './own-addresses.ts';

const zone = {
  '_dmarc.a.example': {
    TXT: ['v=DMARC1; p=none; rua=mailto:Dmarc@a.example!10m,mailto:x@elsewhere.example'],
  },
  '_smtp._tls.a.example': { TXT: ['v=TLSRPTv1; rua=mailto:tls@a.example'] },
};

test('OwnAddresses knows what is configured, usual, and published', async () => {
  const clock = fakeClock(0);
  const resolver = scriptedResolver(zone);
  const addresses = new OwnAddresses({
    resolver,
    clock,
    log: createLog('silent'),
    domains: ['a.example'],
    configured: ['rua@a.example'],
  });
  const known = () =>
    [
      'rua@a.example',
      'Postmaster@A.example',
      'abuse@a.example',
      'dmarc@a.example',
      'tls@a.example',
      '"tls"@a.example',
      'bob@a.example',
    ].filter((address) => addresses.has(address));
  const until = (look: () => boolean) =>
    eventually(async () => look() || undefined, { explain: () => known().join() });
  addresses.start();
  expect(known()).toHaveLength(3);
  await clock.advance(firstLookMs);
  await until(() => known().length === 6);
  // What cannot be looked up stays as it was; what is published no more goes.
  resolver.rewrite({}, { failures: { '_dmarc.a.example': 'timeout' } });
  await clock.advance(refreshMs);
  await until(() => resolver.questions.length === 4);
  expect(known()).toHaveLength(6);
  resolver.rewrite({});
  await clock.advance(refreshMs);
  await until(() => known().length === 3);
  await addresses.stop();
});

test('OwnAddresses tells of a look-up that fails as none may, and looks again', async () => {
  const clock = fakeClock(0);
  const logged: string[] = [];
  const log = createLog('info', { write: (line) => void logged.push(JSON.parse(line).msg) });
  const known = scriptedResolver(zone);
  let isBroken = true;
  const resolver: Resolver = {
    ...known,
    resolve: (...question) =>
      isBroken ? Promise.reject(new TypeError('a bug')) : known.resolve(...question),
  };
  const addresses = new OwnAddresses({ resolver, clock, log, domains: ['a.example'], configured: [] });
  addresses.start();
  await clock.advance(firstLookMs);
  await vi.waitFor(() => expect(logged).toEqual(['own report addresses could not be looked up']));
  isBroken = false;
  await vi.waitFor(async () => {
    await clock.advance(refreshMs);
    expect(addresses.has('tls@a.example')).toBe(true);
  });
  await addresses.stop();
  expect(logged).toHaveLength(1);
});
