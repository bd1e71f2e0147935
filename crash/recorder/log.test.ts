import { expect, test } from 'vitest';
import { describe, readRecords } from './log.ts';

interface Written {
  kind: number;
  object?: number;
  a?: number;
  b?: number;
  path?: string;
  second?: string;
  octets?: string;
}

/** As log.c writes it. */
function written({ kind, object = 0, a = 0, b = 0, path = '', second = '', octets = '' }: Written): Buffer {
  const header = Buffer.alloc(48);
  for (const [index, value] of [kind, 11, 12, path.length, second.length, octets.length].entries())
    header.writeUInt32LE(value, 4 * index);
  for (const [index, value] of [object, a, b].entries())
    header.writeBigInt64LE(BigInt(value), 24 + 8 * index);
  return Buffer.concat([header, Buffer.from(path + second + octets)]);
}

test('readRecords() reads what changes files, and what is said and heard', () => {
  const log = Buffer.concat([
    written({ kind: 1, object: 5, path: '/disk/a' }),
    written({ kind: 3, object: 5, a: 512, octets: 'text' }),
    written({ kind: 5, object: 5, path: '/disk/a', second: '/disk/b' }),
    written({ kind: 10, object: 5 }),
    written({ kind: 12, object: 9, a: 0, b: 25, octets: 'QUIT' }),
    written({ kind: 13, a: 2, octets: '{}' }),
  ]);
  expect(readRecords(log)).toEqual([
    { kind: 'create', process: 11, inode: 5, path: '/disk/a' },
    { kind: 'write', process: 11, inode: 5, offset: 512, octets: Buffer.from('text') },
    { kind: 'rename', process: 11, inode: 5, from: '/disk/a', to: '/disk/b' },
    { kind: 'syncDone', process: 11, inode: 5, thread: 12 },
    { kind: 'heard', process: 11, connection: 9, port: 0, peerPort: 25, octets: Buffer.from('QUIT') },
    { kind: 'said', process: 11, descriptor: 2, octets: Buffer.from('{}') },
  ]);
});

test('readRecords() refuses a log that ends within a record, and a kind that it does not know', () => {
  const whole = written({ kind: 13, octets: 'text' });
  for (const length of [10, 50])
    expect(() => readRecords(whole.subarray(0, length))).toThrow('ends within a record');
  expect(() => readRecords(written({ kind: 99 }))).toThrow('not known here');
});

test('describe() says what happened to which file', () => {
  const [record] = readRecords(written({ kind: 9, object: 5 }));
  expect(record && describe(record, (inode) => `file ${inode}`)).toBe('sync begins: file 5');
});
