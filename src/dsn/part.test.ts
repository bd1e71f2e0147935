import { expect, test } from 'vitest';
import { renderPart } from './part.ts';

const encodingOf = (content: string) =>
  /Content-Transfer-Encoding: (\S+)/.exec(renderPart({ contentType: 'text/plain', content }))?.[1];

test('renderPart() leaves lines of 998 characters alone, and encodes longer ones', () => {
  for (const end of ['', '\n', '\r\n', '\r\nmore']) {
    expect(encodingOf(`first\n${'a'.repeat(998)}${end}`)).toBe('7bit');
    expect(encodingOf(`first\n${'a'.repeat(999)}${end}`)).toBe('quoted-printable');
  }
});

test('renderPart() takes linear time over lines that are just not too long', () => {
  const began = performance.now();
  expect(encodingOf(`${'a'.repeat(998)}\n`.repeat(4_000))).toBe('7bit');
  expect(performance.now() - began).toBeLessThan(500);
});
