import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { commandStage } from '../testing/command-line.ts';

const stage = commandStage();
const { posthorn } = stage;
afterAll(() => stage[Symbol.dispose]());

describe('posthorn account', () => {
  test('account add, list, passwd, import and remove work with no server running', async () => {
    expect(
      await posthorn(['account', 'add', 'Bob@example.com', '--password-stdin'], 's3cret-word\nrest'),
    ).toMatchObject({ exitCode: 0 });
    expect(await posthorn(['account', 'add', 'bob@example.com', '--generate'])).toMatchObject({
      exitCode: 73,
    });
    const imported = await posthorn(
      ['account', 'import', '-', '--json'],
      'bob@example.com,x\r\n"carol@example.com","y"\r\n',
    );
    expect(JSON.parse(imported.out)).toEqual({ added: 1, existing: ['bob@example.com'], removed: [] });
    const changed = await posthorn(['account', 'passwd', 'carol@example.com', '--generate', '--json']);
    expect(JSON.parse(changed.out).password).toMatch(/^[\w-]{20}$/);
    const list = await posthorn(['--config', 'posthorn.toml', 'account', 'list', '--json']);
    expect(JSON.parse(list.out)).toMatchObject([
      { address: 'bob@example.com' },
      { address: 'carol@example.com' },
    ]);
    expect(await posthorn(['account', 'remove', 'carol@example.com'])).toMatchObject({
      exitCode: 0,
      out: expect.stringContaining('account restore carol@example.com'),
    });
  });

  test('account remove names aliases that lead to nobody else, and removes what has no domain any more', async () => {
    for (const name of ['fay', 'gus'])
      await posthorn(['account', 'add', `${name}@example.com`, '--generate']);
    await posthorn(['alias', 'root@example.com', 'fay@example.com']);
    await posthorn(['alias', 'cron@example.com', 'root@example.com']);
    await posthorn(['alias', 'both@example.com', 'fay@example.com', 'gus@example.com']);
    const removed = await posthorn(['account', 'remove', 'fay@example.com']);
    expect(removed.out).toMatch(
      /\n {2}Mail for (?:root@example\.com, cron|cron@example\.com, root)@example\.com led to nobody/,
    );
    expect((await posthorn(['account', 'restore', 'fay@example.com'])).exitCode).toBe(0);
    const others = 'hostname = "mx.example.com"\n[[domain]]\nname = "example.net"\n';
    writeFileSync(join(stage.directory, 'others.toml'), others);
    const remove = (...words: string[]) =>
      posthorn(['--config', 'others.toml', 'account', 'remove', ...words]);
    expect(await remove('Gus@example.com', '--now')).toMatchObject({ exitCode: 0 });
    expect(await remove('nobody@example.com')).toMatchObject({ exitCode: 67 });
    expect((await posthorn(['account', 'list'])).out).not.toContain('gus@');
    for (const name of ['root', 'cron', 'both']) await posthorn(['alias', 'remove', `${name}@example.com`]);
  });

  test('M12: account block, unblock and allow keep lists of senders', { timeout: 30_000 }, async () => {
    await posthorn(['account', 'add', 'erin@example.com', '--generate']);
    const blocked = await posthorn([
      'account',
      'block',
      'Erin@example.com',
      '*@Spam.example',
      '*.bad.example',
    ]);
    expect(blocked).toMatchObject({
      exitCode: 0,
      out: 'blocked: *@spam.example  *.bad.example\nallowed: nobody\n',
    });
    await posthorn(['account', 'allow', 'erin@example.com', 'friend@example.org']);
    const left = await posthorn(['account', 'unblock', 'erin@example.com', '*@spam.example', '--json']);
    expect(JSON.parse(left.out)).toEqual({
      block: ['*.bad.example'],
      allow: ['friend@example.org'],
      missing: [],
    });
    expect(await posthorn(['account', 'unallow', 'erin@example.com', 'x@example.org'])).toMatchObject({
      exitCode: 66,
      err: expect.stringContaining('was not on the allow list'),
    });
    expect(await posthorn(['account', 'block', 'erin@example.com', '*'])).toMatchObject({
      exitCode: 64,
      err: expect.stringContaining('is no pattern of senders'),
    });
    expect((await posthorn(['account', 'block', 'erin@example.com'])).out).toContain('*.bad.example');
    await posthorn(['account', 'remove', 'erin@example.com']);
  });

  test('M12: account set and account forward change what is given, and account list shows it', async () => {
    await posthorn(['account', 'add', 'dora@example.com', '--generate']);
    expect(
      await posthorn(['account', 'set', 'Dora@example.com', '--send', 'off', '--quota', '2G']),
    ).toMatchObject({
      exitCode: 0,
      out: 'dora@example.com: sends nothing; may hold 2 GiB\n',
    });
    expect(
      await posthorn(['account', 'forward', 'dora@example.com', '--to', 'd@example.net', '--keep']),
    ).toMatchObject({
      exitCode: 0,
      out: 'dora@example.com: sends nothing; may hold 2 GiB; goes on to d@example.net, with a copy here\n',
    });
    expect((await posthorn(['account', 'list'])).out).toMatch(
      /^dora@example\.com {2}since [\d-]+; holds 0 bytes of 2 GiB \(0 %\); sends nothing; goes on to/m,
    );
    await posthorn(['account', 'set', 'dora@example.com', '--send', 'on', '--quota', 'default']);
    expect(await posthorn(['account', 'set', 'dora@example.com', '--policy', 'default'])).toMatchObject({
      out: expect.stringContaining('judged by the policy "default"'),
    });
    expect(await posthorn(['account', 'set', 'dora@example.com', '--policy', 'strict'])).toMatchObject({
      exitCode: 64,
      err: expect.stringContaining('There is no policy "strict". There are: default.'),
    });
    expect((await posthorn(['account', 'set', 'dora@example.com', '--no-policy'])).out).not.toContain(
      'policy',
    );
    expect(await posthorn(['account', 'forward', 'dora@example.com', '--off', '--json'])).toMatchObject({
      out: expect.stringMatching(/"settings": \{\}/),
    });
    expect(await posthorn(['account', 'set', 'dora@example.com'])).toMatchObject({ exitCode: 64 });
    expect(await posthorn(['account', 'set', 'dora@example.com', '--send', 'no'])).toMatchObject({
      exitCode: 64,
    });
    expect(await posthorn(['account', 'forward', 'dora@example.com'])).toMatchObject({ exitCode: 64 });
    await posthorn(['account', 'remove', 'dora@example.com']);
  });

  test('alias makes a mailing list of an alias, and shows it', async () => {
    await posthorn(['account', 'add', 'olga@example.com', '--generate']);
    const words = ['alias', 'club@example.com', 'olga@example.com', 'x@example.org'];
    const asList = ['--owner', 'olga@example.com', '--name', 'The Club'];
    expect(await posthorn([...words, ...asList])).toMatchObject({ exitCode: 0 });
    expect((await posthorn(['alias', 'list'])).out).toContain(
      'club@example.com → olga@example.com, x@example.org (a list: "The Club", members may write to it, errors to olga@example.com)\n',
    );
    const refused: [string[], number, string][] = [
      [['--post', 'members'], 64, 'a mailing list has an owner'],
      [['--owner', 'olga@example.com', '--post', 'nobody'], 64, 'anybody, members or domain'],
      [['--owner', 'nobody@example.com'], 67, 'no account nobody@example.com'],
    ];
    for (const [options, exitCode, message] of refused)
      expect(await posthorn([...words, ...options])).toMatchObject({
        exitCode,
        err: expect.stringContaining(message),
      });
    expect(await posthorn(words)).toMatchObject({
      out: 'club@example.com → olga@example.com, x@example.org\n',
    });
    await posthorn(['alias', 'remove', 'club@example.com']);
    await posthorn(['account', 'remove', 'olga@example.com']);
  });

  test('account import makes no account at all where a row is bad', async () => {
    const result = await posthorn(['account', 'import', '-'], 'dave@example.com,x\ndave@example.org,x\n');
    expect(result).toMatchObject({ exitCode: 65, err: expect.stringContaining('line 2: ') });
    expect((await posthorn(['account', 'list'])).out).not.toContain('dave');
  });
});

test('posthorn alias takes the short form, lists and removes', async () => {
  await posthorn(['alias', 'team@example.com', 'x@example.org', 'y@example.org']);
  await posthorn(['alias', 'set', 'help@example.com', 'team@example.com']);
  expect((await posthorn(['alias', 'list'])).out).toBe(
    'help@example.com → team@example.com\nteam@example.com → x@example.org, y@example.org\n',
  );
  expect(await posthorn(['alias', 'remove', 'help@example.com'])).toMatchObject({ exitCode: 0 });
  expect(await posthorn(['alias', 'remove', 'help@example.com'])).toMatchObject({ exitCode: 67 });
});

test('posthorn account add takes no password that is short', { timeout: 30_000 }, async () => {
  const add = (password: string) =>
    posthorn(['account', 'add', 'eight@example.com', '--password-stdin'], `${password}\n`);
  expect(await add('7 chars')).toMatchObject({ exitCode: 64, err: expect.stringContaining('--generate') });
  expect(await add('8 chars!')).toMatchObject({ exitCode: 0 });
});
