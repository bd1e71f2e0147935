import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findGroup } from './unix-group.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'posthorn-group-'));
  writeFileSync(join(directory, 'group'), 'root:x:0:\nmail:x:8:bob,eve\nbroken\n');
});
afterAll(() => rmSync(directory, { recursive: true }));

test.each([
  ['mail', 8],
  ['root', 0],
  ['1234', 1234],
  ['broken', undefined],
  ['bob', undefined],
])('findGroup(%j) is %j', async (name, number) => {
  expect(await findGroup(name, join(directory, 'group'))).toBe(number);
});
