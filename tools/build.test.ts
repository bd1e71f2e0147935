import { expect, test } from 'vitest';
import { isAsset, rewriteFileUrls } from './build.ts';

test("rewriteFileUrls() turns a worker's file into what tsc wrote", () => {
  expect(rewriteFileUrls("new Worker(new URL('./engine.ts', import.meta.url))")).toBe(
    "new Worker(new URL('./engine.js', import.meta.url))",
  );
});

test('rewriteFileUrls() leaves other URLs alone', () => {
  const text = "new URL('./schema.sql', import.meta.url); new URL('https://example.com/a.ts')";
  expect(rewriteFileUrls(text)).toBe(text);
});

test.each([
  ['store/sqlite/schema.sql', true],
  ['store/sqlite/open.ts', false],
  ['dns/testdata/reply.bin', false],
])('isAsset(%j) is %j', (path, expected) => {
  expect(isAsset(path)).toBe(expected);
});
