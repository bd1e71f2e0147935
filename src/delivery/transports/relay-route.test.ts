import { describe, expect, it } from 'vitest';
import type { RelayTransport } from '../../config/transport.ts';
import { scriptedResolver } from '../../testing/scripted-resolver.ts';
import { systemClock } from '../../util/clock.ts';
import { endpointsOf, type NoRoute, type Route, type RouteOptions } from '../route/route.ts';
import { findRelayRoute } from './relay-route.ts';

const options: RouteOptions = {
  hostname: 'mx.example.com',
  isOurs: ({ address, port }) => address === '192.0.2.99' && port === 25,
  port: 25,
  allowPrivateAddresses: false,
  random: () => 0.5,
  clock: systemClock,
};

const two = {
  'mx2.example.net': { A: ['192.0.2.3'], MX: [[0, 'elsewhere.example.net']] as [number, string][] },
};

describe('findRelayRoute()', () => {
  const relay = (at: RelayTransport['at'], protocol: RelayTransport['protocol'] = 'smtp') =>
    findRelayRoute(scriptedResolver(two), { domain: 'example.edu', way: { at, protocol } }, options);
  const addresses = (found: Route | NoRoute) =>
    found.kind === 'route' ? endpointsOf(found).map(({ address }) => address) : [found.kind, found.status];

  it('asks for no MX and takes private addresses', async () => {
    expect(addresses(await relay({ host: '127.0.0.1', port: 2525 }))).toEqual(['127.0.0.1']);
    expect(addresses(await relay({ host: 'mx2.example.net', port: 2525 }))).toEqual(['192.0.2.3']);
    expect(addresses(await relay({ host: 'localhost', port: 2525 }))).toEqual(['::1', '127.0.0.1']);
  });

  it('duty-8: P7: does not go to a relay host that is ourselves, by address or by name, and no sender hears of it', async () => {
    for (const host of ['192.0.2.99', 'mx.example.com']) {
      const found = await relay({ host, port: 25 });
      expect(addresses(found)).toEqual(['deferred', '4.4.6']);
      expect(found).toMatchObject({ reason: `the host ${host} of the transport is this server itself` });
    }
  });

  it('takes another program on this machine, though it has our name', async () => {
    const resolver = scriptedResolver({ 'mx.example.com': { A: ['192.0.2.99'] } });
    const way = { at: { host: 'mx.example.com', port: 24 }, protocol: 'lmtp' } as const;
    const found = await findRelayRoute(resolver, { domain: 'example.edu', way }, options);
    expect(addresses(found)).toEqual(['192.0.2.99']);
  });

  it('P7: waits where the relay host has no address: the senders have not named it', async () => {
    const found = await relay({ host: 'mispelt.example.net', port: 25 });
    expect(found).toMatchObject({
      kind: 'deferred',
      status: '4.4.4',
      reason: expect.stringContaining('mispelt.example.net'),
      rule: expect.stringContaining('operator'),
    });
  });

  it('has TLS from the first octet with smtps, and only there', async () => {
    const endpoints = async (protocol: RelayTransport['protocol']) => {
      const found = await relay({ host: '127.0.0.1', port: 2525 }, protocol);
      return found.kind === 'route' && endpointsOf(found);
    };
    const endpoint = { host: '127.0.0.1', address: '127.0.0.1', port: 2525 };
    expect(await endpoints('smtps')).toEqual([{ ...endpoint, implicitTls: true }]);
    expect(await endpoints('submission')).toEqual([endpoint]);
  });

  it('leads to a Unix socket without any question', async () => {
    const found = await relay({ socket: '/run/lmtp' }, 'lmtp');
    expect(found.kind === 'route' && endpointsOf(found)).toEqual([
      { host: '/run/lmtp', address: '/run/lmtp', port: 0 },
    ]);
  });
});
