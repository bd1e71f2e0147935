import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const program = join(import.meta.dirname, '..', 'bin', 'posthorn');
const start = (...args: string[]) =>
  spawnSync(program, args, {
    encoding: 'utf8',
    cwd: '/',
    env: { PATH: process.env.PATH, POSTHORN_CONFIG: '' },
  });

test('bin/posthorn ends with the exit code of its command', () => {
  expect(start('nonsense')).toMatchObject({ status: 64, stdout: '' });
  expect(start('serve', '--config', '/nonexistent.toml')).toMatchObject({ status: 78, stdout: '' });
  expect(start('--version')).toMatchObject({ status: 0, stderr: '' });
});
