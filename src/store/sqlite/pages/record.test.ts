import { expect, test } from 'vitest';
import { seeded } from '../../../testing/store-image.ts';
import { readRecord, readVarint } from './record.ts';

test.each([
  ['one octet', [0x7f], 127, 1],
  ['two octets', [0x81, 0x00], 128, 2],
  ['nine octets', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x81, 0x02], 258, 9],
  ['the end in the middle', [0x81], Number.NaN, 0],
])('readVarint() of %s', (_, octets, value, next) => {
  expect(readVarint(Buffer.from(octets), 0)).toEqual([value, next]);
});

/** NULL, -2, 1 (as a type of its own), 'ab', x'00ff'. */
const record = Buffer.from([6, 0, 1, 9, 17, 16, 0xfe, 0x61, 0x62, 0x00, 0xff]);

test('readRecord() reads values of all kinds', () => {
  expect(readRecord(record)).toEqual({ columns: 5, values: [null, -2, 1, 'ab', Buffer.from([0x00, 0xff])] });
});

test('readRecord() gives what there is of a record that is cut off', () => {
  expect(readRecord(record.subarray(0, 10))).toEqual({
    columns: 5,
    values: [null, -2, 1, 'ab'],
    cut: Buffer.from([0x00]),
  });
  expect(readRecord(record.subarray(0, 4))).toBeUndefined();
});

test('readRecord() throws for no octets whatever', () => {
  const random = seeded(7);
  for (let round = 0; round < 2000; round++) {
    const octets = Buffer.from(Array.from({ length: random(40) }, () => random(256)));
    expect(() => readRecord(octets)).not.toThrow();
  }
});
