import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findReadable, parsePassword, readSecret } from './secret.ts';

test.each([
  ['secret', 'secret'],
  ['se cret \nnotes', 'se cret '],
  ['pässword\r\n', 'pässword'],
])('parsePassword(%j) is %j', (content, password) => {
  expect(parsePassword(Buffer.from(content))).toBe(password);
});

test.each(['', '\n', '\r\nsecret', 'se\0cret'])('parsePassword(%j) throws', (content) => {
  expect(() => parsePassword(Buffer.from(content))).toThrow();
});

test('readSecret() reads a file and the environment, each time', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'posthorn-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, 'secret');
  await writeFile(file, 'one\n');
  expect(await readSecret({ file })).toBe('one');
  await writeFile(file, 'two\n');
  expect(await readSecret({ file })).toBe('two');
  expect(await readSecret({ env: 'RELAY' }, { RELAY: 'three' })).toBe('three');
  await expect(readSecret({ env: 'RELAY' }, {})).rejects.toThrow(/variable RELAY/);
});

test('findReadable() names what anybody may read', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'posthorn-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const [open, shut] = [join(directory, 'open'), join(directory, 'shut')];
  for (const file of [open, shut]) await writeFile(file, 'x');
  await chmod(open, 0o644);
  await chmod(shut, 0o640);
  expect(await findReadable([open, shut, join(directory, 'absent')])).toEqual([open]);
});
