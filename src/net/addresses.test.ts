import { describe, expect, it } from 'vitest';
import { addressClass, canonicalAddress, findFamily, ownListeners } from './addresses.ts';

describe('addressClass()', () => {
  it.each([
    ['192.0.2.1', 'public'],
    ['2001:db8::1', 'public'],
    ['127.0.0.1', 'loopback'],
    ['127.255.0.9', 'loopback'],
    ['::1', 'loopback'],
    ['0.0.0.0', 'unspecified'],
    ['::', 'unspecified'],
    ['10.1.2.3', 'private'],
    ['172.31.0.1', 'private'],
    ['172.32.0.1', 'public'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['fd00::1', 'private'],
    ['169.254.1.1', 'link-local'],
    ['fe80::1', 'link-local'],
    ['224.0.0.1', 'multicast'],
    ['ff02::1', 'multicast'],
    ['255.255.255.255', 'reserved'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['64:ff9b::10.0.0.1', 'private'],
    ['::ffff:192.0.2.1', 'public'],
  ])('duty-8: %s is %s', (address, expected) => {
    expect(addressClass(address)).toBe(expected);
  });
});

describe('canonicalAddress()', () => {
  it.each([
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['192.0.2.1', '192.0.2.1'],
  ])('writes %s as %s', (address, canonical) => {
    expect(canonicalAddress(address)).toBe(canonical);
  });
});

describe('findFamily()', () => {
  it('knows addresses from names', () => {
    expect(['192.0.2.1', '::1', 'mx.example.net', ''].map(findFamily)).toEqual([4, 6, undefined, undefined]);
  });
});

describe('ownListeners()', () => {
  it('duty-8: knows a listener by address and port', () => {
    const isOurs = ownListeners([{ address: '192.0.2.1', port: 25 }]);
    expect(isOurs({ address: '192.0.2.1', port: 25 })).toBe(true);
    expect(isOurs({ address: '::ffff:192.0.2.1', port: 25 })).toBe(true);
    expect(isOurs({ address: '192.0.2.1', port: 2525 })).toBe(false);
    expect(isOurs({ address: '192.0.2.2', port: 25 })).toBe(false);
  });

  it('duty-8: knows all addresses of the machine for a wildcard listener', () => {
    const isOurs = ownListeners([{ address: '0.0.0.0', port: 25 }]);
    expect(isOurs({ address: '127.0.0.1', port: 25 })).toBe(true);
    expect(isOurs({ address: '192.0.2.77', port: 25 })).toBe(false);
  });
});
