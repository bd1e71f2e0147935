/** The PROXY header that a proxy puts in front of a connection, versions 1 and 2. */

import { findFamily } from '../../src/net/addresses.ts';
import { maxProxyHeaderBytes, readProxyHeader } from '../../src/net/proxy-header.ts';
import { between, demand, demandSame, type Target } from './target.ts';

const start = '\r\n\r\n\0\r\nQUIT\n';
const ipv4 = '\xcb\0\x71\x09\xc0\0\x02\x01\xc0\x01\0\x19';

const seeds = [
  'PROXY TCP4 203.0.113.9 192.0.2.1 49153 25\r\nEHLO c\r\n',
  'PROXY TCP6 2001:db8::1 ::ffff:192.0.2.1 49153 465\r\n',
  'PROXY UNKNOWN\r\n',
  `${start}\x21\x11\0\x0c${ipv4}`,
  `${start}\x21\x11\0\x13${ipv4}\x20\0\x04\x01\0\0\0`,
  `${start}\x21\x21\0\x24${'\x20\x01\x0d\xb8'.repeat(8)}\0\x01\0\x19`,
  `${start}\x20\0\0\0QUIT\r\n`,
];

function check(input: Buffer): void {
  const reading = readProxyHeader(input);
  if (reading.kind === 'more')
    return demand(input.length < maxProxyHeaderBytes, 'it waits for more than is allowed');
  if (reading.kind === 'malformed') return;
  const { header, length } = reading;
  demand(length <= Math.min(input.length, maxProxyHeaderBytes), 'a header longer than what came');
  for (let cut = 0; cut < length; cut++)
    demandSame('less of it', { kind: 'more' }, readProxyHeader(input.subarray(0, cut)));
  demandSame('no more than it', reading, readProxyHeader(input.subarray(0, length)));
  if (header.client === undefined) return;
  for (const { address, port } of [header.client, header.ours]) {
    demand(findFamily(address) !== undefined && port >= 0 && port <= 65_535, 'no address');
    demand(!/^::ffff:\d+\./.test(address), 'IPv4 inside IPv6');
  }
}

export const proxyHeader: Target = {
  name: 'proxy-header',
  seeds: () => seeds.map((text) => Buffer.from(text, 'latin1')),
  read: readProxyHeader,
  check,
  places: [between('PROXY '), between('PROXY TCP4 '), between(`${start}\x21\x11\0\x20`)],
};
