import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Brake } from '../queue/brake/brake.ts';
import { openStore } from '../store/sqlite/open.ts';
import { runCommand } from '../testing/command-line.ts';
import { systemClock } from '../util/clock.ts';
import { createLog } from '../util/log.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'posthorn-brake-'));
  writeFileSync(
    join(directory, 'posthorn.toml'),
    'hostname = "mx.example.com"\n[[domain]]\nname = "example.com"\n',
  );
});
afterAll(() => rmSync(directory, { recursive: true }));

const account = (...args: string[]) =>
  runCommand(['account', ...args], { cwd: directory, env: { SUDO_USER: 'ann' } });

// Each command opens the store.
vi.setConfig({ testTimeout: 30_000 });

/** As a server that was stopped has left it. */
async function brakeBob(): Promise<void> {
  const store = await openStore({ dataDir: join(directory, 'data') });
  const policy = { enabled: true, hourlyRecipients: 1 };
  const brake = await Brake.read({ store, clock: systemClock, log: createLog('silent'), policy });
  await brake.take('bob@example.com', {
    recipients: ['a@example.net', 'b@example.net'],
    client: '192.0.2.1',
  });
  await brake.stop();
  await store.close();
}

test('posthorn account shows who is braked, and releases', async () => {
  await account('add', 'bob@example.com', '--generate');
  expect((await account('braked')).out).toBe('No account is braked.\n');
  await brakeBob();
  expect((await account('braked')).out).toMatch(
    /^bob@example\.com {2}held for \d+ seconds?: 2 recipients within an hour, more than 1 [^\n]+\n {4}2 recipients held since; it came from 192\.0\.2\.1 \(2\)\n {4}some of them: a@example\.net, b@example\.net\n$/,
  );
  expect((await account('release', 'Bob@example.com')).out).toBe(
    'bob@example.com: released; 0 recipients on their way\n',
  );
  expect(await account('release', 'bob@example.com')).toMatchObject({
    exitCode: 66,
    err: 'posthorn: bob@example.com is not braked. Who is: posthorn account braked\n',
  });
});

test('posthorn account set says how much an account may send', async () => {
  await account('add', 'list@example.com', '--generate');
  const limit = (value: string) => account('set', 'list@example.com', '--hourly-recipients', value);
  expect((await limit('500')).out).toBe('list@example.com: held above 500 recipients within an hour\n');
  expect((await limit('none')).out).toBe('list@example.com: never held, however much it sends\n');
  expect((await limit('default')).out).toBe('list@example.com: nothing special\n');
  expect(await limit('many')).toMatchObject({
    exitCode: 64,
    err: expect.stringContaining('none or default'),
  });
});

test('with an account goes what is remembered of what it sent', async () => {
  await account('add', 'gone@example.com', '--generate');
  const dataDir = join(directory, 'data');
  const write = async () => {
    const store = await openStore({ dataDir });
    for (const kind of ['sending', 'login-places'])
      await store.writeMemos([{ kind, key: 'gone@example.com', value: {} }]);
    await store.close();
  };
  await write();
  await account('remove', 'gone@example.com', '--now');
  const store = await openStore({ dataDir });
  for (const kind of ['sending', 'login-places'])
    expect(await store.findMemo(kind, 'gone@example.com')).toBeUndefined();
  await store.close();
});
