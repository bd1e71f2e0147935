import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from './load.ts';
import { ConfigError } from './problem.ts';
import { warningsOfSecrets } from './secret-files.ts';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'posthorn-'));
  await writeFile(join(directory, 'password'), 'secret\n', { mode: 0o600 });
  process.env.POSTHORN_TEST_SECRET = 'secret';
});
afterAll(async () => {
  delete process.env.POSTHORN_TEST_SECRET;
  await rm(directory, { recursive: true });
});

const read = (password: string) =>
  parseConfig(
    `hostname = "mx.example.com"\n[[transport]]\ndomains = ["*"]\nprotocol = "submission"\nhost = "a.example"\nuser = "us"\npasswordFile = ${password}\n`,
    join(directory, 'posthorn.toml'),
  );

const sourceIn = async (password: string) => {
  const [transport] = (await read(password)).transports;
  return transport && 'login' in transport.way ? transport.way.login?.passwordFile : undefined;
};

test.each(['"password"', '{ file = "password" }'])('a secret in a file: %s', async (password) => {
  expect(await sourceIn(password)).toEqual({ file: join(directory, 'password') });
});

test('a secret in the environment', async () => {
  expect(await sourceIn('{ env = "POSTHORN_TEST_SECRET" }')).toEqual({ env: 'POSTHORN_TEST_SECRET' });
});

test.each([
  [
    '{ env = "POSTHORN_TEST_ABSENT" }',
    /^there is nothing in the variable POSTHORN_TEST_ABSENT/,
    /EnvironmentFile/,
  ],
  ['{ file = "absent" }', /^there is no file/, /first line/],
  ['{ evn = "X" }', /^a table is not where a secret is$/, /\{ env = "NAME" \}/],
  ['{ env = "X", file = "password" }', /^a table is not where a secret is$/, /\{ file = "…" \}/],
  ['{ env = "no name" }', /^a table is not where a secret is$/, /env/],
  ['5', /^5 is not where a secret is$/, /in quotes/],
])('%s is told, with what to do', async (password, what, remedy) => {
  const problems = await read(password).then(
    () => [],
    (error) => (error instanceof ConfigError ? error.problems : []),
  );
  expect(problems).toMatchObject([
    {
      line: 7,
      key: 'transport[1].passwordFile',
      what: expect.stringMatching(what),
      remedy: expect.stringMatching(remedy),
    },
  ]);
});

test('warningsOfSecrets() names the files that everybody may read', async () => {
  const config = await read('"password"');
  expect(await warningsOfSecrets(config)).toEqual([]);
  await chmod(join(directory, 'password'), 0o644);
  expect(await warningsOfSecrets(config)).toEqual([
    expect.stringMatching(/^every user of this machine may read .*password: chmod o-rwx/),
  ]);
});
