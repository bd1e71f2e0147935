import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frame, frameReader } from './frames.ts';

test('frameReader() gives the same messages however the stream is cut', () => {
  const message = fc.uint8Array({ maxLength: 40 }).map((octets) => Buffer.from(octets));
  fc.assert(
    fc.property(fc.array(message), fc.integer({ min: 1, max: 50 }), (messages, size) => {
      const stream = Buffer.concat(messages.map(frame));
      const read = frameReader(40);
      const got: Buffer[] = [];
      for (let at = 0; at < stream.length; at += size)
        got.push(...(read(stream.subarray(at, at + size)) ?? []));
      expect(got).toEqual(messages);
    }),
  );
});

test('frameReader() takes the longest message octet by octet without copying it again and again', () => {
  const stream = frame(Buffer.alloc(65_535, 1));
  const read = frameReader(65_535);
  const before = process.cpuUsage();
  const got = Array.from(stream, (octet) => read(Buffer.of(octet)) ?? []).flat();
  const { user, system } = process.cpuUsage(before);
  expect(got).toEqual([stream.subarray(2)]);
  expect((user + system) / 1000).toBeLessThan(300);
});

test('frameReader() gives up at the announcement of a message that is too long', () => {
  expect(frameReader(100)(Buffer.from([0, 101]))).toBeUndefined();
});
