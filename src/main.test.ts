import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
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
  expect(start('serve', '--config', '/nonexistent.toml')).toMatchObject({ status: 66, stdout: '' });
  expect(start('--version')).toMatchObject({ status: 0, stderr: '' });
});

/** A configuration that `config check --json` prints as more than a pipe holds at once. */
function longConfig(directory: string): string {
  const file = join(directory, 'posthorn.toml');
  const domains = Array.from(
    { length: 4000 },
    (_, index) => `[[domain]]\nname = "d${index}.${'x'.repeat(60)}.test"\n`,
  );
  writeFileSync(file, `hostname = "mx.example.com"\n[[listener]]\nprotocol = "smtp"\n${domains.join('')}`);
  return file;
}

test('bin/posthorn ends when all that it says is read, however slow the reader of a pipe is', () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-pipe-'));
  const command = `"${program}" config check --json --config "${longConfig(directory)}"`;
  const shell = (script: string) =>
    spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8', env: { PATH: process.env.PATH } });
  const whole = shell(`{ ${command}; echo "code $?" >&2; } | cat | wc -c`);
  const inFile = shell(`${command} > "${directory}/out"; wc -c < "${directory}/out"`);
  const beginning = shell(`{ ${command}; echo "code $?" >&2; } | head -1`);
  rmSync(directory, { recursive: true });
  expect(Number(whole.stdout)).toBeGreaterThan(300_000);
  expect(whole).toMatchObject({ stdout: inFile.stdout, stderr: 'code 0\n' });
  // Who has read enough is served, and no error is told.
  expect(beginning).toMatchObject({ stdout: '{\n', stderr: 'code 0\n' });
});

test('bin/posthorn gives libuv threads enough for many fsyncs at once, and V8 less memory, before Node starts', () => {
  // Stands in for Node: says how it was called.
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-node-'));
  const node = join(directory, 'node');
  const says = `#!/bin/sh\ncase $1 in --version) echo v24.0.0 ;; *) echo "$UV_THREADPOOL_SIZE $MALLOC_ARENA_MAX $@" ;; esac\n`;
  writeFileSync(node, says, { mode: 0o755 });
  const { PATH } = process.env;
  const { stdout } = spawnSync(program, ['help'], { encoding: 'utf8', env: { PATH, POSTHORN_NODE: node } });
  rmSync(directory, { recursive: true });
  expect(stdout).toMatch(/^16 2 --max-semi-space-size=\d+ --heap-growing-percent=\d+ .*main\.ts help\n$/);
});
