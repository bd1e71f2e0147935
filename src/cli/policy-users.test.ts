import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore } from '../store/sqlite/open.ts';
import { runCommand } from '../testing/command-line.ts';
import { systemClock } from '../util/clock.ts';

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'posthorn-policies-'));
  const text = 'hostname = "mx.example.com"\ndataDir = "data"\n[[domain]]\nname = "example.com"\n';
  await writeFile(join(cwd, 'posthorn.toml'), text);
});
afterEach(() => rm(cwd, { recursive: true }));

const list = () => runCommand(['policy', 'list'], { cwd });

test('posthorn policy list makes no store where none is', async () => {
  expect(await list()).toMatchObject({
    exitCode: 0,
    out: expect.stringMatching(/^default: \d+ checks; example\.com\n$/),
    err: '',
  });
  expect(await readdir(cwd)).toEqual(['posthorn.toml']);
});

test('posthorn policy list names the mailboxes of a policy that the configuration has no more', async () => {
  const store = await openStore({ dataDir: join(cwd, 'data'), clock: systemClock });
  await store.addAccounts([{ address: 'ann@example.com', passwordHash: 'x', createdAt: 0 }]);
  await store.setSettings('ann@example.com', { policy: 'gone' });
  expect(await list()).toMatchObject({
    exitCode: 0,
    out: expect.stringMatching(/^default: \d+ checks; example\.com\n$/),
    err: expect.stringMatching(/^posthorn: which mailboxes name a policy is not known: .*has .*data open/),
  });
  await store.close();
  expect(await list()).toMatchObject({
    out: expect.stringMatching(
      /\ngone: is not in the configuration, and "default" judges; mailboxes: ann@example\.com\n$/,
    ),
    err: '',
  });
});
