/** The first message of whoever begins with TLS, while an authority is awaited there: read in whatever pieces it comes. */

import { type ClientHello, HelloReader } from '../../src/net/client-hello.ts';
import { byteByByte, type Cut, cuts, whole } from '../packets.ts';
import type { Random } from '../random.ts';
import { between, demand, demandSame, type Target } from './target.ts';

const vector = (lengthBytes: number, content: Buffer): Buffer => {
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntBE(content.length % 256 ** lengthBytes, 0, lengthBytes);
  return Buffer.concat([length, content]);
};

const extension = (type: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.of(type >> 8, type & 255), vector(2, content)]);

const serverName = (name: string): Buffer =>
  extension(0, vector(2, Buffer.concat([Buffer.of(0), vector(2, Buffer.from(name, 'latin1'))])));

const protocols = (...names: readonly string[]): Buffer =>
  extension(16, vector(2, Buffer.concat(names.map((name) => vector(1, Buffer.from(name, 'latin1'))))));

function hello(extensions: readonly Buffer[]): Buffer {
  const [session, ciphers, compression] = [
    vector(1, Buffer.alloc(32)),
    vector(2, Buffer.of(19, 1)),
    vector(1, Buffer.of(0)),
  ];
  const start = Buffer.concat([Buffer.of(3, 3), Buffer.alloc(32, 7), session, ciphers, compression]);
  const message = Buffer.concat([start, vector(2, Buffer.concat(extensions))]);
  return Buffer.concat([Buffer.of(1), vector(3, message)]);
}

/** In records of so many octets. */
function inRecords(message: Buffer, size: number): Buffer {
  const starts = Array.from({ length: Math.ceil(message.length / size) }, (_, index) => index * size);
  return Buffer.concat(
    starts.map((at) => Buffer.concat([Buffer.of(22, 3, 1), vector(2, message.subarray(at, at + size))])),
  );
}

function generate(random: Random): Buffer {
  const extensions = random.some(6, () =>
    random.pick([
      () => serverName(random.pick(['mx.example.com', '', '\xfc', 'a'.repeat(random.length(300))])),
      () => protocols(...random.some(5, () => random.pick(['acme-tls/1', 'h2', '', 'x'.repeat(255)]))),
      () => extension(random.below(60), random.octets(random.length(200))),
    ])(),
  );
  return inRecords(hello(extensions), 1 + random.length(600));
}

/** What came of it, and after how many octets that was known. */
function readAs(input: Buffer, cut: Cut): ClientHello | 'more' | undefined {
  const reader = new HelloReader();
  for (const piece of cut(input)) {
    const read = reader.read(piece);
    if (read !== 'more') return read;
  }
  return 'more';
}

/** Octets after which nothing is waited for any more. */
const longest = 2 ** 15 + 2 ** 16;

export const clientHello: Target = {
  name: 'client-hello',
  seeds: () => [
    inRecords(hello([serverName('mx.example.com'), protocols('acme-tls/1', 'http/1.1')]), 2 ** 14),
    inRecords(hello([serverName('mx.example.com')]), 3),
    inRecords(hello([]), 1),
  ],
  generate,
  read: (input) => readAs(input, whole),
  check(input) {
    const first = readAs(input, whole);
    for (const [name, cut] of cuts) demandSame(`the hello ${name}`, first, readAs(input, cut));
    demand(first !== 'more' || input.length <= longest, 'it waits for more than is allowed');
  },
  trickle: (input) => readAs(input, byteByByte),
  places: [
    between(
      '\x16\x03\x01\x00\x01\x01\x16\x03\x01\x00\x01\x00\x16\x03\x01\x00\x01\x30\x16\x03\x01\x00\x01\x00',
    ),
    between('\x16\x03\x01\x40\x00\x01\x00\x3f\x00'),
  ],
};
