import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listenControl } from '../net/control-socket.ts';
import { openStore } from '../store/sqlite/open.ts';
import { runCommand } from '../testing/command-line.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../testing/store.ts';
import { flipBit, type StoreImage, storeImage } from '../testing/store-image.ts';

let directory: TemporaryDirectory;
let image: StoreImage;
beforeAll(async () => {
  directory = await temporaryDirectory();
  image = await storeImage(directory.path, 60, 'stopped');
  writeFileSync(
    join(directory.path, 'posthorn.toml'),
    `hostname = "mx.example.com"\ndataDir = "${image.dataDir}"\n[[domain]]\nname = "example.com"\n`,
  );
});
afterAll(() => directory[Symbol.asyncDispose]());

const posthorn = (...args: string[]) => runCommand(args, { cwd: directory.path });

test('store check says that nothing is wrong, and exits with 0', async () => {
  expect(await posthorn('store', 'check')).toEqual({
    exitCode: 0,
    out: `Nothing is wrong with ${image.dataDir}.\n`,
    err: '',
  });
  expect(await posthorn('store', 'check', '--json')).toMatchObject({ exitCode: 0, out: '[]\n' });
});

test('store check, salvage and restore leave a store that is in use alone', async () => {
  const store = await openStore({ dataDir: image.dataDir });
  for (const command of [['check'], ['salvage', '--to', 'out'], ['restore', 'out']])
    expect(await posthorn('store', ...command)).toMatchObject({
      exitCode: 75,
      err: expect.stringMatching(
        /is in use by another Posthorn process( \(pid \d+.*\))?: stop that one first/,
      ),
    });
  await store.close();
});

test('store check says where there is no store', async () => {
  writeFileSync(join(directory.path, 'empty.toml'), 'hostname = "mx.example.com"\ndataDir = "nowhere"\n');
  expect(await posthorn('store', 'check', '--config', 'empty.toml')).toMatchObject({
    exitCode: 66,
    err: expect.stringContaining('there is no store in'),
  });
});

test('store salvage writes into an empty directory only', async () => {
  expect(await posthorn('store', 'salvage', '--to', directory.path)).toMatchObject({
    exitCode: 73,
    err: expect.stringContaining(`${directory.path} is not empty`),
  });
});

test('store salvage tells what it cannot count, and store restore what was altered since', async () => {
  const { sums, note } = image.files;
  const before = [sums, note].map((file) => [file, readFileSync(file)] as const);
  for (const [file] of before) rmSync(file);
  const salvaged = await posthorn('store', 'salvage', '--to', 'untold');
  for (const [file, octets] of before) writeFileSync(file, octets);
  expect(salvaged).toMatchObject({ exitCode: 1, err: '' });
  expect(salvaged.out).toMatch(
    /^ {2}an unknown number of others, the newest most likely, may be lost without a trace:\n {4}nothing says whether the log is whole: .*$/m,
  );
  const report = JSON.parse(readFileSync(join(directory.path, 'untold', 'report.json'), 'utf8'));
  expect(report.mayLackMore).toHaveLength(1);

  flipBit(join(directory.path, 'untold', 'messages', 'Q00000.eml'), 100, 0);
  writeFileSync(
    join(directory.path, 'other.toml'),
    'hostname = "mx.example.com"\ndataDir = "other"\n[[domain]]\nname = "example.com"\n',
  );
  const restored = await posthorn('store', 'restore', 'untold', '--config', 'other.toml');
  expect(restored).toMatchObject({ exitCode: 1, err: '' });
  expect(restored.out).toMatch(/^message Q00000 was left out: the octets of .* are not those that/m);
  expect(restored.out).toContain('39 messages, ');
});

test('a damaged store: named by every command, checked, salvaged, and restored into a new one', async () => {
  flipBit(image.files.database, 100_000, 2);
  const refused = await posthorn('account', 'list');
  expect(refused).toMatchObject({ exitCode: 74, out: '' });
  expect(refused.err).toMatch(
    /holds a damaged store:\n.*posthorn\.db: page 13 \(.*\) is not as it was written/,
  );
  expect(refused.err).toContain('posthorn store salvage --to DIRECTORY');

  const checked = await posthorn('store', 'check');
  expect(checked).toMatchObject({ exitCode: 1, err: expect.stringContaining('posthorn store salvage --to') });
  expect(checked.out).toMatch(/^error: .*posthorn\.db: page 13 \(.*\) is not as it was written$/m);
  expect(checked.out).toMatch(/^1 error, 0 warnings$|^[2-9] errors, 0 warnings$/m);

  const salvaged = await posthorn('store', 'salvage', '--to', 'out');
  expect(salvaged.out).toMatch(/^\d\d messages brought out, octet for octet, to .*out\/messages$/m);
  expect(salvaged.out).toContain(`then posthorn store restore ${join(directory.path, 'out')}`);
  const count = readdirSync(join(directory.path, 'out', 'messages')).filter((name) =>
    name.endsWith('.eml'),
  ).length;
  expect(count).toBeGreaterThanOrEqual(39);
  expect(JSON.parse(readFileSync(join(directory.path, 'out', 'report.json'), 'utf8')).messages).toBe(count);

  for (const part of ['store', 'spool'])
    renameSync(join(image.dataDir, part), join(image.dataDir, `${part}.damaged`));
  const restored = await posthorn('store', 'restore', 'out');
  expect(restored).toMatchObject({
    exitCode: 0,
    out: expect.stringMatching(/^\d\d messages, 40 accounts and 1 alias restored$/m),
  });
  expect((await posthorn('store', 'check')).exitCode).toBe(0);
  expect((await posthorn('account', 'list')).out.split('\n')).toHaveLength(41);
});

test('a lost store: named by store check, and what is left of it brought out and put aside', async () => {
  await using world = await temporaryDirectory();
  const lost = await storeImage(world.path, 60, 'stopped');
  const config = join(world.path, 'posthorn.toml');
  writeFileSync(config, `hostname = "mx.example.com"\ndataDir = "${lost.dataDir}"\n`);
  const command = (...args: string[]) => posthorn(...args, '--config', config);
  rmSync(lost.files.directory, { recursive: true });
  expect(await command('account', 'list')).toMatchObject({
    exitCode: 74,
    err: expect.stringContaining('has lost its store'),
  });
  const checked = await command('store', 'check');
  expect(checked.exitCode).toBe(1);
  expect(checked.out).toMatch(/^error: .*spool: holds messages in files \(2\) that .*posthorn\.db knew$/m);
  const out = join(world.path, 'out');
  expect((await command('store', 'salvage', '--to', out)).out).toMatch(
    /2 large contents of which no message/,
  );
  expect(readdirSync(join(out, 'orphans'))).toEqual(['Q00007.eml', 'Q00057.eml']);
  expect(await command('store', 'restore', out)).toMatchObject({ exitCode: 74 });
  renameSync(join(lost.dataDir, 'spool'), join(lost.dataDir, 'spool.lost'));
  expect(await command('store', 'restore', out)).toMatchObject({ exitCode: 0 });
  expect(await command('store', 'check')).toMatchObject({ exitCode: 0 });
});

test('store check, salvage and restore refuse while a server answers, whoever has the lock', async () => {
  await using world = await temporaryDirectory();
  const config = join(world.path, 'posthorn.toml');
  writeFileSync(config, `hostname = "mx.example.com"\ndataDir = "${world.path}"\n`);
  const listener = await listenControl(join(world.path, 'control.sock'), () => {});
  for (const command of [['check'], ['salvage', '--to', join(world.path, 'out')], ['restore', world.path]])
    expect(await posthorn('store', ...command, '--config', config)).toMatchObject({
      exitCode: 75,
      err: expect.stringMatching(/a server is running .* it answers at .*control\.sock\. Stop it first/),
    });
  await listener.close();
});
