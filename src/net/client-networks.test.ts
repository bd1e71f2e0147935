import { expect, test } from 'vitest';
import { clientNetworks } from './client-networks.ts';

test.each([
  ['192.0.2.77', '192.0.2.77', '192.0.2.0/24'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64', '2001:db8:1::/48'],
  ['2001:db8::1', '2001:db8::/64', '2001:db8::/48'],
  ['::1', '::/64', '::/48'],
  ['2001:db8:1:0:1::', '2001:db8:1::/64', '2001:db8:1::/48'],
])('clientNetworks() of %s: %s in %s', (address, client, network) => {
  expect(clientNetworks(address)).toEqual({ client, network });
});
