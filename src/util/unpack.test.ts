import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UnpackError, unpack } from './unpack.ts';

interface File {
  name: string;
  content: Buffer;
  method?: number;
  flags?: number;
  sum?: number;
}

/** An archive as a program writes it that knows all sizes only at the end. */
function zip(...files: File[]): Buffer {
  const locals: Buffer[] = [];
  const entries: Buffer[] = [];
  let at = 0;
  for (const { name, content, method = 8, flags = 8, sum = crc32(content) } of files) {
    const packed = method === 8 ? deflateRawSync(content) : content;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(flags, 8);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(sum, 16);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(content.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(at, 42);
    locals.push(local, Buffer.from(name), packed);
    entries.push(entry, Buffer.from(name));
    at += 30 + name.length + packed.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, ...entries, end]);
}

const text = Buffer.from('a report');
const get = (octets: Buffer, maxBytes = 1000) => unpack(octets, maxBytes, /\.xml$/).toString();

describe('unpack()', () => {
  test.each([
    ['gzip', gzipSync(text)],
    ['a deflated file', zip({ name: 'a.xml', content: text })],
    ['a stored file', zip({ name: 'a.xml', content: text, method: 0 })],
    [
      'the file that is wanted',
      zip({ name: 'x/', content: Buffer.alloc(0) }, { name: 'x/a.xml', content: text }),
    ],
    ['what is not packed', text],
  ])('reads %s', (_, octets) => {
    expect(get(octets)).toBe('a report');
  });

  const large = Buffer.alloc(5000);
  test.each([
    ['gzip that is too large', gzipSync(large), /larger than 1000/],
    ['a deflated file that is too large', zip({ name: 'a.xml', content: large }), /larger than 1000/],
    [
      'a stored file that is too large',
      zip({ name: 'a.xml', content: large, method: 0 }),
      /larger than 1000/,
    ],
    ['gzip that is cut', gzipSync(text).subarray(0, 20), /cannot be unpacked/],
    ['another method', zip({ name: 'a.xml', content: text, method: 12 }), /method 12/],
    ['encryption', zip({ name: 'a.xml', content: text, flags: 1 }), /encrypted/],
    ['a sum that does not fit', zip({ name: 'a.xml', content: text, sum: 1 }), /sum/],
    ['no file that is wanted', zip({ name: 'a.exe', content: text }), /no file/],
    ['an archive that is cut', zip({ name: 'a.xml', content: text }).subarray(0, -30), /damaged/],
    ['an archive without its beginning', Buffer.from('PK\x03\x04'), /damaged/],
  ])('refuses %s', (_, octets, problem) => {
    expect(() => get(octets)).toThrow(problem);
  });

  test('throws nothing else, whatever has been changed', () => {
    const archive = zip({ name: 'a.xml', content: text }, { name: 'b.xml', content: text });
    fc.assert(
      fc.property(fc.nat(archive.length - 1), fc.nat(255), (at, octet) => {
        const changed = Buffer.from(archive);
        changed[at] = octet;
        try {
          get(changed);
        } catch (error) {
          expect(error).toBeInstanceOf(UnpackError);
        }
      }),
    );
  });
});
