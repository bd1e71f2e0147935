import { expect, test } from 'vitest';
import { eventually } from '../../testing/eventually.ts';
import { fakeClock } from '../../testing/fake-clock.ts';
import { scriptedResolver } from '../../testing/scripted-resolver.ts';
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
