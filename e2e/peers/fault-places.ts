/**
 * Addresses, inside a network of one machine, of the name servers around which faults are planted: none that the server there
 * could take for its own public ones. At the last there is nobody.
 */

import type { DnsPlaces } from '../../src/testing/dns-stage.ts';

export const faultPlaces: DnsPlaces = {
  first: '10.53.0.1',
  second: '10.53.0.2',
  parent: '10.53.0.3',
  resolver: '10.53.0.4',
  nobody: '198.51.100.99',
};
