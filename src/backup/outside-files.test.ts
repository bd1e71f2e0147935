import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { backupWorld } from '../testing/backups.ts';
import { isWithin, outsideFiles } from './outside-files.ts';

test('outsideFiles() finds every file that the configuration names, and no program, nor what is long or saved anyway', async () => {
  await using world = await backupWorld();
  const [key, secret] = [world.path('keys', 'dkim.pem'), world.path('etc', 'secret')];
  await world.write(key, 'a key');
  await world.write(secret, 'a secret');
  await world.write(world.path('etc', 'program'), '#!/bin/sh');
  await chmod(world.path('etc', 'program'), 0o755);
  await world.write(world.path('etc', 'trace'), 'x'.repeat(1024 * 1024 + 1));
  await world.write(join(world.dataDir, 'tls', 'key.pem'), 'a key');
  await world.write(
    world.configFile,
    `hostname = "mx.example.com"\nlist = ["", "missing", "program", "trace", "${join(world.dataDir, 'tls', 'key.pem')}"]
     [[domain]]\ndkim = { selector = "a", key = "${key}" }\n[deep.down]\nsecretFile = "secret"\n`,
  );
  expect(await outsideFiles(world.configFile, world.dataDir)).toEqual([world.configFile, secret, key].sort());
});

test.each([
  ['/a', '/a', true],
  ['/a', '/a/b', true],
  ['/a', '/ab', false],
  ['/a/b', '/a', false],
  ['/a', '/a/..b', true],
])('isWithin(%s, %s) is %s', (directory, path, expected) => {
  expect(isWithin(directory, path)).toBe(expected);
});
