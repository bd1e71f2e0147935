import { describe, expect, test } from 'vitest';
import { encodePacket, PacketReader, readTexts, texts } from './packet.ts';

describe('PacketReader', () => {
  test('reads the same however the octets are cut', () => {
    const packets = [
      encodePacket('c'),
      encodePacket('y', texts('550 no')),
      encodePacket('b', Buffer.alloc(3000, 'x')),
    ];
    const octets = Buffer.concat(packets);
    for (const size of [1, 3, 4, 7, octets.length]) {
      const reader = new PacketReader();
      const found: string[] = [];
      for (let at = 0; at < octets.length; at += size) {
        reader.receive(octets.subarray(at, at + size));
        for (let packet = reader.next(); packet !== undefined; packet = reader.next())
          found.push(`${packet.letter}${packet.data.length}`);
      }
      expect(found).toEqual(['c0', 'y7', 'b3000']);
      expect(reader.isEmpty).toBe(true);
    }
  });
});

describe('texts()', () => {
  test('ends a text at a NUL within it, so that nobody slips in another', () => {
    expect(readTexts(texts('a\0b', 'c'), 2)).toEqual(['a', 'c']);
  });
});
