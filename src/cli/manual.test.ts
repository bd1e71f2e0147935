import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommand } from '../testing/command-line.ts';
import { completionFor } from './completion.ts';
import { manualPages } from './manual.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'posthorn-manual-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const posthorn = (...args: string[]) => runCommand(args, { cwd: directory });

const hostile = {
  path: ['posthorn'],
  description: `.a "quoted" back\\slash and a 'quote'`,
  takes: '',
  options: [
    { flags: '-x, --x-y <z>', name: '--x-y', description: "'tis", help: "'tis so", takesValue: true },
  ],
  commands: [{ path: ['posthorn', 'do'], description: 'it', takes: '<what>', options: [], commands: [] }],
};

describe('manual pages', () => {
  test('there is one for the program and one for each of its commands', async () => {
    expect(await posthorn('manual', 'man')).toMatchObject({ exitCode: 0 });
    const pages = readdirSync(join(directory, 'man'));
    expect(pages).toEqual(expect.arrayContaining(['posthorn.1', 'posthorn-account.1', 'posthorn-queue.1']));
    const account = readFileSync(join(directory, 'man', 'posthorn-account.1'), 'utf8');
    expect(account).toContain('.SH "ACCOUNT ADD"');
    expect(account).toContain('\\-\\-generate');
  });

  test('they say what an option can be, and what it is by itself', async () => {
    await posthorn('manual', 'man');
    const queue = readFileSync(join(directory, 'man', 'posthorn-queue.1'), 'utf8');
    expect(queue).toContain('only those (choices: "waiting", "held", "under\\-way")');
    expect(queue).toContain('recipients on a page (default: 100)');
  });

  test('npm is told of each of them', async () => {
    await posthorn('manual', 'man');
    const { man } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(man).toEqual(
      readdirSync(join(directory, 'man'))
        .sort()
        .map((page) => `dist/man/${page}`),
    );
  });

  test('that of sendmail has what programs call it with', async () => {
    await posthorn('manual', 'man');
    const page = readFileSync(join(directory, 'man', 'posthorn-sendmail.1'), 'utf8');
    for (const option of ['t', 'i', 'f', 'r', 'F', 'b', 'q', 'v', 'o', 'C'])
      expect(page).toMatch(new RegExp(`^.*\\\\-${option}\\b`, 'm'));
  });

  test('what a command says of itself is no request to roff', () => {
    const page = manualPages(hostile, '1').get('posthorn.1') ?? '';
    expect(page).toContain('posthorn \\- \\&.a "quoted" back\\eslash');
    expect(page).toContain("\\&'tis");
  });
});

describe('completion', () => {
  test('names every command of every place, for each shell', async () => {
    const { out } = await posthorn('completion', 'bash');
    expect(out).toMatch(/^ {4}' account'\) words='add /m);
    expect(out).toMatch(/^ {4}' queue suspend'\) words='--config /m);
    expect((await posthorn('completion', 'zsh')).out).toContain('#compdef posthorn');
    expect((await posthorn('completion', 'fish')).out).toMatch(/-n '__posthorn_at " account"' -a add -d '/);
    expect(await posthorn('completion', 'csh')).toMatchObject({ exitCode: 64 });
  });

  test.each([
    [
      ['account', 'a'],
      ['add', 'app-password'],
    ],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [
      ['account', 'set', 'bob@example.com', '--receive', ''],
      ['on', 'off'],
    ],
    [['account', 'import', '--format', 'd'], ['dovecot']],
    [['--config', ''], []],
    [['serve', '--config', '/etc/p'], []],
  ])('bash completes %j', async (words, expected) => {
    const { out } = await posthorn('completion', 'bash');
    const script = `${out}\nCOMP_WORDS=(posthorn "$@"); COMP_CWORD=$#; _posthorn; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = spawnSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8' });
    expect(stdout.split('\n').filter((word) => word !== '' && !word.startsWith('-'))).toEqual(
      expect.arrayContaining(expected),
    );
    if (expected.length === 0) expect(stdout.trim()).toBe('');
  });

  test('no description gets out of its quotes', () => {
    expect(completionFor('zsh', hostile)).toContain("--x-y:'\\''tis");
    expect(completionFor('fish', hostile)).toContain("-d '\\'tis'");
  });
});
