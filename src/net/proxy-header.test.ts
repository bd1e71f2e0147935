import { describe, expect, test } from 'vitest';
import { maxProxyHeaderBytes, readProxyHeader } from './proxy-header.ts';

/** A header of version 2. */
function binary({ command = 1, family = 0x11, body = Buffer.alloc(0), version = 2 }): Buffer {
  const fixed = Buffer.from('\r\n\r\n\0\r\nQUIT\n\0\0\0\0', 'latin1');
  fixed[12] = (version << 4) | command;
  fixed[13] = family;
  fixed.writeUInt16BE(body.length, 14);
  return Buffer.concat([fixed, body]);
}

const ipv4 = Buffer.from([203, 0, 113, 9, 192, 0, 2, 1, 0xc0, 0x01, 0, 25]);
const ipv6 = Buffer.concat([
  Buffer.from('20010db8000100020003000400050006', 'hex'),
  Buffer.from('20010db8000000000000000000000001', 'hex'),
  Buffer.from([0xc0, 0x01, 1, 0xd1]),
]);
const mapped = Buffer.concat([
  Buffer.from('00000000000000000000ffffcb007109', 'hex'),
  Buffer.from('00000000000000000000ffffc0000201', 'hex'),
  Buffer.from([0xc0, 0x01, 0, 25]),
]);

const nobody = { client: undefined };
const four = { client: { address: '203.0.113.9', port: 49153 }, ours: { address: '192.0.2.1', port: 25 } };
const six = {
  client: { address: '2001:db8:1:2:3:4:5:6', port: 49153 },
  ours: { address: '2001:db8::1', port: 465 },
};
const extensions = Buffer.from([0x20, 0, 5, 1, 0, 0, 0, 0, 0x04, 0, 3, 0, 0, 0]);

const good: [string, Buffer, object][] = [
  ['v1 TCP4', Buffer.from('PROXY TCP4 203.0.113.9 192.0.2.1 49153 25\r\n'), four],
  ['v1 TCP6', Buffer.from('PROXY TCP6 2001:db8:1:2:3:4:5:6 2001:DB8::1 49153 465\r\n'), six],
  [
    'v1 TCP6 of an IPv4 client',
    Buffer.from('PROXY TCP6 ::ffff:203.0.113.9 ::ffff:192.0.2.1 49153 25\r\n'),
    four,
  ],
  ['v1 UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n'), nobody],
  ['v1 UNKNOWN with more to say', Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'), nobody],
  ['v2 TCP over IPv4', binary({ body: ipv4 }), four],
  ['v2 TCP over IPv6', binary({ family: 0x21, body: ipv6 }), six],
  ['v2 TCP over IPv6 of an IPv4 client', binary({ family: 0x21, body: mapped }), four],
  ['v2 with extensions', binary({ body: Buffer.concat([ipv4, extensions]) }), four],
  ['v2 LOCAL', binary({ command: 0, family: 0 }), nobody],
  ['v2 LOCAL with addresses', binary({ command: 0, body: ipv4 }), nobody],
  ['v2 without a family', binary({ family: 0, body: extensions }), nobody],
  [
    'v2 of the greatest length',
    binary({ body: Buffer.concat([ipv4, Buffer.alloc(maxProxyHeaderBytes - 28)]) }),
    four,
  ],
];

describe.each(good)('readProxyHeader() of %s', (_, octets, header) => {
  test('reads it, and leaves what follows', () => {
    const read = { kind: 'header', header, length: octets.length };
    expect(readProxyHeader(octets)).toEqual(read);
    expect(readProxyHeader(Buffer.concat([octets, Buffer.from('EHLO c\r\n')]))).toEqual(read);
  });

  test('wants more as long as a byte is missing', () => {
    for (let length = 0; length < octets.length; length++)
      expect(readProxyHeader(octets.subarray(0, length))).toEqual({ kind: 'more' });
  });
});

const line = (text: string) => Buffer.from(`${text}\r\n`);
test.each<[string, Buffer, string]>([
  ['SMTP', line('EHLO client.example'), 'no PROXY header'],
  ['TLS', Buffer.from([22, 3, 1]), 'no PROXY header'],
  ['lower case', line('proxy TCP4 203.0.113.9 192.0.2.1 1 2'), 'no PROXY header'],
  ['another family', line('PROXY UDP4 203.0.113.9 192.0.2.1 1 2'), 'neither TCP4 nor TCP6'],
  ['IPv6 as TCP4', line('PROXY TCP4 2001:db8::1 192.0.2.1 1 2'), 'two addresses and two ports'],
  ['IPv4 as TCP6', line('PROXY TCP6 203.0.113.9 192.0.2.1 1 2'), 'two addresses and two ports'],
  ['octal octets', line('PROXY TCP4 010.0.0.1 192.0.2.1 1 2'), 'two addresses and two ports'],
  ['a port too high', line('PROXY TCP4 203.0.113.9 192.0.2.1 65536 2'), 'two addresses and two ports'],
  ['a port with a sign', line('PROXY TCP4 203.0.113.9 192.0.2.1 +1 2'), 'two addresses and two ports'],
  ['no ports', line('PROXY TCP4 203.0.113.9 192.0.2.1'), 'two addresses and two ports'],
  ['too much', line('PROXY TCP4 203.0.113.9 192.0.2.1 1 2 3'), 'two addresses and two ports'],
  ['two spaces', line('PROXY TCP4  203.0.113.9 192.0.2.1 1 2'), 'two addresses and two ports'],
  ['a line without an end', Buffer.from(`PROXY UNKNOWN ${'x'.repeat(200)}`), 'too long'],
  ['an end too late', line(`PROXY UNKNOWN ${'x'.repeat(92)}`), 'too long'],
  ['v2 of version 1', binary({ version: 1, body: ipv4 }), 'version 1'],
  ['v2 with another command', binary({ command: 2, body: ipv4 }), 'command 2'],
  ['v2 over UDP', binary({ family: 0x12, body: ipv4 }), 'not come by TCP'],
  ['v2 over a Unix socket', binary({ family: 0x31, body: Buffer.alloc(216) }), 'not come by TCP'],
  ['v2 too short', binary({ body: ipv4.subarray(0, 11) }), 'too short'],
  ['v2 too short for IPv6', binary({ family: 0x21, body: ipv4 }), 'too short'],
  ['v2 too long', binary({ body: Buffer.alloc(maxProxyHeaderBytes) }), 'longer than'],
])('readProxyHeader() refuses %s', (_, octets, why) => {
  expect(readProxyHeader(octets)).toEqual({ kind: 'malformed', why: expect.stringContaining(why) });
});

test('readProxyHeader() refuses what is too long before it has come', () => {
  const { kind } = readProxyHeader(binary({ body: Buffer.alloc(60_000) }).subarray(0, 16));
  expect(kind).toBe('malformed');
});
