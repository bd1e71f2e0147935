import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { runCommand } from '../testing/command-line.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'posthorn-bans-'));
  writeFileSync(join(directory, 'posthorn.toml'), 'hostname = "mx.example.com"\n');
});
afterAll(() => rmSync(directory, { recursive: true }));

const bans = (...args: string[]) =>
  runCommand(['bans', ...args], { cwd: directory, env: { SUDO_USER: 'ann' } });

// Each command opens the store.
vi.setConfig({ testTimeout: 30_000 });

test('posthorn bans adds, lists and lifts, also where no server runs', async () => {
  expect((await bans()).out).toBe('Nobody is banned.\n');
  const added = await bans('add', '192.0.2.77/24', '--for', '30d', '--reason', 'guesses');
  expect(added.out).toBe('192.0.2.0/24  banned for another 30 days: guesses (by ann (by sudo))\n');
  expect((await bans('add', '2001:db8::1')).out).toBe(
    '2001:db8::/64  banned until it is lifted: by order (by ann (by sudo))\n',
  );
  expect(JSON.parse((await bans('list', '--json')).out)).toMatchObject({
    bans: [{ network: '192.0.2.0/24' }, { network: '2001:db8::/64' }],
  });
  expect(await bans('lift', '192.0.2.9')).toMatchObject({
    exitCode: 66,
    err: 'posthorn: 192.0.2.9 is not banned. But 192.0.2.0/24 is: posthorn bans lift 192.0.2.0/24\n',
  });
  expect((await bans('lift', '192.0.2.0/24')).out).toBe('192.0.2.0/24 may connect again\n');
  expect((await bans('list')).out).toMatch(/^2001:db8::\/64 {2}banned/);
  expect(await bans('lift', '192.0.2.0/24')).toMatchObject({
    exitCode: 66,
    err: expect.stringContaining('posthorn bans list'),
  });
});

test.each(['example.com', '0.0.0.0/0', '192.0.2'])(
  'posthorn bans add %s is no network to ban',
  async (what) => {
    const { exitCode, err } = await bans('add', what);
    expect([exitCode, err]).toEqual([64, expect.stringContaining('Write it as 192.0.2.1')]);
  },
);
