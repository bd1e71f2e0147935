import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError } from './problem.ts';
import { parseToml, readTomlFile } from './toml-file.ts';

function problemsOf(toml: string) {
  try {
    parseToml(toml, 'f.toml');
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error('it was taken');
}

test('parseToml() shows where it could not go on, with the lines around', () => {
  const [problem] = problemsOf('a = 1\nb = = 2\nc = 3\n');
  expect(problem).toMatchObject({ file: 'f.toml', line: 2, what: 'invalid value' });
  expect(problem?.remedy.split('\n').slice(0, 4)).toEqual([
    '1:  a = 1',
    '2:  b = = 2',
    '        ^',
    '3:  c = 3',
  ]);
});

test('parseToml() marks the place in a line however long, and shows a part of it', () => {
  const [problem] = problemsOf(`a = ${'['.repeat(200_000)}`);
  expect(problem?.remedy.length).toBeLessThan(400);
  const [text = '', mark = ''] = problem?.remedy.split('\n') ?? [];
  expect(text[mark.indexOf('^')]).toBe('[');
});

test('parseToml() sends nothing to a terminal that it would obey', () => {
  for (const toml of ['\u001b]0;title\u0007 = 1\n\u009b31m', '\ufffd\u0000\u202e\n\u001b[2J']) {
    const [problem] = problemsOf(toml);
    expect(problem?.remedy).not.toMatch(/[^\P{C}\n]/u);
  }
});

test('readTomlFile() says what to do about a file that is none, or is not there', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-toml-'));
  const file = join(directory, 'a.toml');
  await expect(readTomlFile(file, 'Make one.')).rejects.toMatchObject({ isAbsent: true });
  writeFileSync(file, 'a = 1');
  expect(await readTomlFile(file, '')).toBe('a = 1');
  mkdirSync(join(directory, 'b.toml'));
  await expect(readTomlFile(join(directory, 'b.toml'), 'Name another.')).rejects.toMatchObject({
    problems: [{ what: 'is a directory', remedy: 'Name another.' }],
  });
  rmSync(directory, { recursive: true });
});
