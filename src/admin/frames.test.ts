import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeFrame, type Frame, FrameError, readFrames } from './frames.ts';

const limits = { lineBytes: 1000, contentBytes: 1000 };

async function framesOf(...chunks: Buffer[]): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of readFrames(Readable.from(chunks), limits)) frames.push(frame);
  return frames;
}

function cut(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}

describe('readFrames()', () => {
  const frames: Frame[] = [
    { value: { operation: 'trace' } },
    { value: { operation: 'send' }, content: Buffer.from('a\nb\0\r\n{}') },
    { value: { empty: true }, content: Buffer.alloc(0) },
    { value: { last: 'ü' } },
  ];

  test.each([1, 2, 7, 1000])('readFrames() reads what encodeFrame() wrote, in chunks of %i', async (size) => {
    const bytes = Buffer.concat(frames.map(encodeFrame));
    expect(await framesOf(...cut(bytes, size))).toEqual(frames);
  });

  test.each([
    ['a line that is not JSON', 'nonsense\n'],
    ['a line that is no object', '[1]\n'],
    ['a length that is none', '{"contentBytes":-1}\n'],
    ['content over the limit', '{"contentBytes":1001}\n'],
    ['a line over the limit', `"${'x'.repeat(1001)}`],
    ['an end in the middle of a line', '{"a"'],
    ['an end in the middle of content', '{"contentBytes":5}\nabc'],
  ])('readFrames() refuses %s', async (_, text) => {
    await expect(framesOf(Buffer.from(text))).rejects.toThrow(FrameError);
  });

  test('readFrames() ends or throws a FrameError, whatever comes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 50 })), async (chunks) => {
        await framesOf(...chunks.map((chunk) => Buffer.from(chunk))).catch((error) =>
          expect(error).toBeInstanceOf(FrameError),
        );
      }),
      { numRuns: 100 },
    );
  });
});
