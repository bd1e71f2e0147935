import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { runCommand } from '../testing/command-line.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'posthorn-suppression-'));
  writeFileSync(
    join(directory, 'posthorn.toml'),
    'hostname = "mx.example.com"\n[[domain]]\nname = "example.com"\n',
  );
});
afterAll(() => rmSync(directory, { recursive: true }));

const suppression = (...args: string[]) =>
  runCommand(['suppression', ...args], { cwd: directory, env: { SUDO_USER: 'ann' } });

// Each command opens the store.
vi.setConfig({ testTimeout: 30_000 });

test('posthorn suppression adds, lists, shows and removes', async () => {
  expect((await suppression('list')).out).toBe('No address has been refused.\n');
  const added = await suppression('add', 'Gone@Example.net', '--for', '30d', '--reason', 'asked us to');
  expect(added.out).toBe('gone@example.net  refused for another 30 days  (by ann (by sudo): asked us to)\n');
  expect((await suppression('list')).out).toBe(added.out);
  expect(JSON.parse((await suppression('list', '--json')).out)).toMatchObject([
    { address: 'gone@example.net' },
  ]);
  expect((await suppression('show', 'gone@example.net')).out).toBe(added.out);
  expect((await suppression('remove', 'GONE@example.net')).out).toContain('may be written to again');
  const { out } = await runCommand(['trace', 'gone@example.net'], { cwd: directory });
  expect(out).toMatch(
    /Mail of our users to <gone@example\.net> is refused from now on\n +why: ann \(by sudo\) stopped it: asked us to\n[\s\S]*Mail to <gone@example\.net> is no longer refused: ann \(by sudo\) ended that\n$/,
  );
  for (const command of ['remove', 'show'])
    expect(await suppression(command, 'gone@example.net')).toMatchObject({
      exitCode: 66,
      err: expect.stringContaining('posthorn suppression list'),
    });
});

test('posthorn suppression refuses what is no address, and addresses of our own', async () => {
  expect(await suppression('add', 'x')).toMatchObject({
    exitCode: 64,
    err: expect.stringContaining('not a mail address'),
  });
  expect(await suppression('add', 'bob@example.com')).toMatchObject({
    exitCode: 64,
    err: expect.stringContaining('account remove'),
  });
});
