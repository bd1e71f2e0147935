import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runCommand } from '../testing/command-line.ts';
import { accountRows } from './account-csv.ts';
import { readAccountRows } from './account-rows.ts';
import { readSecret } from './account-secrets.ts';
import { isPasswdFile, passwdRows } from './passwd-file.ts';

const argon = '$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHQ$aGFzaA';

describe('readSecret()', () => {
  test.each([
    ['a password', { password: 'a password' }],
    ['{PLAIN}{braces}', { password: '{braces}' }],
    ['{x} is no scheme', { unusable: 'X' }],
    [argon, { hash: argon }],
    [`{ARGON2ID}${argon}`, { hash: argon }],
    [`{CRYPT}${argon}`, { hash: argon }],
    [
      '{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$xx$yy',
      { unusable: 'argon2id whose salt or hash is cut off' },
    ],
    [
      '$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHQ$aGFzaA',
      { unusable: expect.stringMatching(/costs too much/) },
    ],
    ['{BLF-CRYPT}$2y$05$abc', { unusable: 'BLF-CRYPT' }],
    ['{SSHA256.b64}AAAA', { unusable: 'SSHA256.B64' }],
    ['$2y$10$abc', { unusable: 'BLF-CRYPT' }],
    ['$6$salt$abc', { unusable: 'SHA512-CRYPT' }],
    ['$argon2i$v=19$x', { unusable: 'argon2i' }],
    ['$ecret', { password: '$ecret' }],
  ])('%j is %j', (text, secret) => {
    expect(readSecret(text)).toEqual(secret);
  });
});

test.each([
  ['bob:{PLAIN}x\n', true],
  ['# users\n\nbob@example.com:{ARGON2ID}$argon2id$x,y:1000:1000::/home/bob::\n', true],
  ['bob:$6$x$y:1000:1000:::\n', true],
  ['address,password\n', false],
  ['bob@example.com,a:b:c:d\n', false],
  ['"bob@example.com","{PLAIN}x"\n', false],
])('isPasswdFile(%j) is %s', (text, expected) => {
  expect(isPasswdFile(text)).toBe(expected);
});

test('isPasswdFile() takes blank lines and comments for nothing, however many', () => {
  const blank = '\n  \n# x\r\n'.repeat(10_000);
  expect(isPasswdFile(`${blank}ann@example.org,secret`)).toBe(false);
  expect(isPasswdFile(`${blank}ann:{PLAIN}secret`)).toBe(true);
});

test('passwdRows() reads users with and without their domain, and tells what cannot be taken over', () => {
  const text = [
    '# comment',
    `bob:{ARGON2ID}${argon}:1000:1000::/home/bob::userdb_quota_rule=*:storage=1G`,
    'eve@example.com:{BLF-CRYPT}$2y$05$abc::::::',
    'ann@example.com:',
    'Bob@example.com:{PLAIN}twice',
  ].join('\n');
  const read = readAccountRows(passwdRows(text), {
    domains: [{ name: 'example.com' }],
    domain: 'example.com',
  });
  expect(read).toEqual({
    accounts: [{ address: 'bob@example.com', hash: argon }],
    unusable: [{ line: 3, address: 'eve@example.com', scheme: 'BLF-CRYPT' }],
    problems: [
      'line 4: no password; write user:{ARGON2ID}hash',
      'line 5: bob@example.com is in line 2 already',
    ],
  });
  expect(readAccountRows(passwdRows('bob:{PLAIN}x'), { domains: [] }).problems).toEqual([
    expect.stringContaining('--domain example.com'),
  ]);
});

test('accountRows() takes a hash without quotes, and what is wrong with a password is told by line', () => {
  const text = [
    `bob@example.com,${argon}`,
    `ann@example.com,"${argon}"\r`,
    `jo@example.com,{ARGON2ID}${argon}`,
    'eve@example.com,{ARGON2I}$argon2i$v=19$m=4096,t=3,p=1$c2FsdA$aGFzaA',
    'a@example.com,pass\0word',
    `b@example.com,${'x'.repeat(5_000_000)}`,
    `c@example.com,${argon},more`,
    'd@example.com,"pass\nword"',
  ].join('\n');
  const read = readAccountRows(accountRows(text), { domains: [{ name: 'example.com' }] });
  expect(read.accounts).toEqual(
    ['bob', 'ann', 'jo'].map((user) => ({ address: `${user}@example.com`, hash: argon })),
  );
  expect(read.unusable).toEqual([{ line: 4, address: 'eve@example.com', scheme: 'ARGON2I' }]);
  expect(read.problems).toEqual([
    expect.stringMatching(/^line 5: The password holds a NUL/),
    expect.stringMatching(/^line 6: The password is longer than \d+ octets/),
    expect.stringMatching(/^line 7: more than two columns/),
    expect.stringMatching(/^line 8: The password holds a NUL or a line end/),
  ]);
});

describe('imports by command', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'posthorn-import-'));
    writeFileSync(
      join(directory, 'posthorn.toml'),
      'hostname = "mx.example.com"\n[[domain]]\nname = "example.com"\n',
    );
  });
  afterAll(() => rmSync(directory, { recursive: true }));
  vi.setConfig({ testTimeout: 60_000 });

  const posthorn = (...args: string[]) => runCommand(args, { cwd: directory });

  test('account import takes what Dovecot has over, thousands at once, and makes passwords where it must', async () => {
    const lines = Array.from({ length: 3000 }, (_, index) => `user${index}:{ARGON2ID}${argon}:::::`);
    writeFileSync(join(directory, 'passwd'), [...lines, 'eve:{SSHA}abc', ''].join('\n'));
    const args = ['account', 'import', 'passwd', '--domain', 'example.com'];
    const refused = await posthorn(...args);
    expect(refused).toMatchObject({ exitCode: 65, out: '' });
    expect(refused.err).toMatch(/line 3001: a hash of the kind SSHA[\s\S]*--generate/);
    const taken = await posthorn(...args, '--generate');
    expect(taken.out).toMatch(/^3001 added, 0 existed already\neve@example\.com \S{20}\n$/);
    expect((await posthorn(...args, '--generate')).out).toMatch(/^0 added, 3001 existed already\n/);
  });

  test('account import refuses what is not UTF-8, by line, and says of who is removed how to have them back', async () => {
    writeFileSync(
      join(directory, 'latin1'),
      Buffer.from('a@example.com,pass-word\nb@example.com,p\xe4ssword\n', 'latin1'),
    );
    const refused = await posthorn('account', 'import', 'latin1');
    expect(refused).toMatchObject({ exitCode: 65, out: '' });
    expect(refused.err).toMatch(/line 2 is not UTF-8/);
    writeFileSync(join(directory, 'gone'), 'gone@example.com,pass-word\n');
    await posthorn('account', 'import', 'gone');
    await posthorn('account', 'remove', 'gone@example.com');
    expect((await posthorn('account', 'import', 'gone')).out).toMatch(
      /^0 added, 1 existed already\n {2}gone@example\.com: is removed\..*account restore gone@example\.com\n$/,
    );
    await posthorn('alias', 'gone@example.com', 'a@example.org');
    const alias = await posthorn('account', 'restore', 'gone@example.com');
    expect(alias).toMatchObject({ exitCode: 73 });
    expect(alias.err).toMatch(/alias remove gone@example\.com/);
    await posthorn('alias', 'remove', 'gone@example.com');
    expect(await posthorn('account', 'restore', 'gone@example.com')).toMatchObject({ exitCode: 0 });
  });

  test('alias import sets what leads to what comes later, and names what leads nowhere', async () => {
    writeFileSync(join(directory, 'aliases'), 'info: team\nteam: eve\nlost: nobody\n');
    const result = await posthorn('alias', 'import', 'aliases', '--domain', 'example.com');
    expect(result).toMatchObject({ exitCode: 65, out: '2 set\n' });
    expect(result.err).toMatch(/line 3: There is no account nobody@example\.com/);
    expect((await posthorn('alias', 'list')).out).toBe(
      'info@example.com → team@example.com\nteam@example.com → eve@example.com\n',
    );
  });

  test('alias import says of a loop, and of what leads to what was not set, which line it is', async () => {
    writeFileSync(join(directory, 'loop'), 'l1: l2\nl2: l1\nl3: l4\nl4: "|/bin/prog -x"\n@example.com eve\n');
    const result = await posthorn('alias', 'import', 'loop', '--domain', 'example.com');
    expect(result).toMatchObject({ exitCode: 65, out: '0 set\n' });
    expect(result.err.split('\n').slice(1, -1)).toEqual([
      'line 1: leads to l2@example.com, which was not set either (line 2)',
      'line 2: leads to l1@example.com, which was not set either (line 1)',
      'line 3: leads to l4@example.com, which was not set either (line 4)',
      expect.stringMatching(/^line 4: "\|\/bin\/prog -x": an alias leads to no program\./),
      expect.stringMatching(
        /^line 5: .*catchAll = "eve@example\.com" below \[\[domain\]\] name = "example\.com"$/,
      ),
    ]);
  });
});
