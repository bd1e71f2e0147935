import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { openStore } from '../store/sqlite/open.ts';
import type { Store } from '../store/store.ts';
import { runCommand } from '../testing/command-line.ts';
import { changeAllJobs, sampleJob, sampleMessage } from '../testing/store.ts';
import { firstIdAt } from '../util/queue-id.ts';
import { operatorName } from './operator-name.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'posthorn-queue-'));
  writeFileSync(
    join(directory, 'posthorn.toml'),
    // Nothing answers there: what asks DNS is told so at once.
    'hostname = "mx.example.com"\nresolver = ["127.0.0.1:1"]\n[[domain]]\nname = "example.com"\n',
  );
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Runs a command line as a shell would. */
const posthorn = (...args: string[]) => runCommand(args, { cwd: directory, env: { SUDO_USER: 'ann' } });

async function withStore(use: (store: Store) => Promise<void>): Promise<void> {
  const store = await openStore({ dataDir: join(directory, 'data') });
  try {
    await use(store);
  } finally {
    await store.close();
  }
}

const hour = 3600_000;
// As this server would have made them then.
const first = `${firstIdAt(Date.now() - 3 * hour)}00000`;
const second = `${firstIdAt(Date.now())}00000`;

beforeEach(() =>
  withStore(async (store) => {
    await changeAllJobs(store, { kind: 'drop' });
    await store.pruneEvents({ before: Number.MAX_SAFE_INTEGER, maxBytes: 0 });
    const now = Date.now();
    const times = { queuedAt: now - 3 * hour, nextAttemptAt: now + hour, expiresAt: now + 99 * hour };
    const jobs = ['a', 'b'].map((name, number) =>
      sampleJob(first, {
        number,
        recipient: `${name}@example.net`,
        attempts: 2,
        lastError: '450 Later',
        ...times,
      }),
    );
    await store.accept(sampleMessage(first, { jobs }));
    const other = { ...times, queuedAt: now, recipient: 'c@example.org', destination: 'example.org' };
    const message = { reversePath: 'other@example.com' };
    await store.accept(sampleMessage(second, { message, jobs: [sampleJob(second, other)] }));
  }),
);

describe('posthorn queue list', () => {
  test('tells of each recipient how long it has waited, when it is tried next, and what was said', async () => {
    const { out, exitCode } = await posthorn('queue', 'list', '--id', first);
    expect(exitCode).toBe(0);
    expect(out).toContain(
      `${first}  <sender@example.com> → <a@example.net>  for 3 hours, 2 attempts, next attempt in 60 minutes\n    450 Later\n`,
    );
  });

  test.each([
    [['--sender', 'other@example.com'], 1],
    [['--older-than', '2h'], 2],
    [['--newer-than', '2h'], 1],
    [['--older-than', '2h', '--recipient', 'b@example.net'], 1],
    [['--state', 'held'], 0],
    [['--domain', 'example.org', '--sender', 'sender@example.com'], 0],
  ])('%j finds %i', async (options, count) => {
    const { out } = await posthorn('queue', 'list', '--json', ...options);
    expect(JSON.parse(out)).toHaveLength(count);
  });

  test('goes page by page, or all at once', async () => {
    const page = await posthorn('queue', 'list', '--limit', '2');
    expect(page.out.match(/→/g)).toHaveLength(2);
    const [, cursor = ''] = /--after '([^']+)'/.exec(page.err) ?? [];
    const next = await posthorn('queue', 'list', '--limit', '2', '--after', cursor);
    expect(next.out.match(/→/g)).toHaveLength(1);
    expect(next.err).toBe('');
    expect((await posthorn('queue', 'list', '--limit', '1', '--all')).out.match(/→/g)).toHaveLength(3);
  });

  test('says which option is wrong, and how it is written', async () => {
    const { exitCode, err } = await posthorn('queue', 'list', '--older-than', 'yesterday');
    expect(exitCode).toBe(64);
    expect(err).toContain('such as 90s, 30m, 2h, 5d or 1w');
    expect((await posthorn('queue', 'list', '--state', 'lost')).err).toContain('waiting, held, under-way');
  });
});

test('posthorn queue show tells all about a message, and that there is none', async () => {
  const { out } = await posthorn('queue', 'show', first.toLowerCase());
  expect(out.match(/→/g)).toHaveLength(2);
  expect(out).toMatch(/given up after \d{4}-\d\d-\d\d/);
  expect(out).toContain(`posthorn trace ${first}`);
  const missing = await posthorn('queue', 'show', '01JRMGQ4TQ0C1B');
  expect(missing.exitCode).toBe(66);
  expect(missing.err).toContain('nothing in the queue is 01JRMGQ4TQ0C1B');
});

// Each command opens the store.
vi.setConfig({ testTimeout: 30_000 });

describe('orders', () => {
  test('--dry-run says how many, and changes nothing', async () => {
    const { out } = await posthorn('queue', 'drop', '--domain', 'example.net', '--dry-run');
    expect(out).toBe('2 recipients would be concerned\n');
    expect(JSON.parse((await posthorn('queue', 'release', '--all', '--dry-run', '--json')).out)).toEqual({
      count: 0,
      underway: 0,
    });
    expect(JSON.parse((await posthorn('queue', 'list', '--json')).out)).toHaveLength(3);
  });

  test('hold and release stand in the dossier with who and why; the list says it too', async () => {
    const held = await posthorn('queue', 'hold', '--id', first, '--reason', 'legal asks');
    expect(held.out).toContain(`${first}  a@example.net\n${first}  b@example.net\n2 recipients on hold\n`);
    expect((await posthorn('queue', 'list', '--state', 'held')).out).toMatch(
      /on hold for \d seconds?, by ann \(by sudo\)/,
    );
    const released = await posthorn('queue', 'release', '--all', '--json');
    expect(JSON.parse(released.out)).toMatchObject({ changed: [{ queueId: first }, {}], underway: 0 });
    const events = JSON.parse((await posthorn('trace', first, '--json')).out);
    expect(events).toMatchObject([
      { event: 'held', by: 'ann (by sudo)', reason: 'legal asks', recipient: 'a@example.net' },
      { event: 'held' },
      { event: 'released', by: 'ann (by sudo)' },
      { event: 'released' },
    ]);
  });

  test('redirect moves what waits; retry makes it due', async () => {
    const { out } = await posthorn(
      'queue',
      'redirect',
      '--recipient',
      'a@example.net',
      '--to',
      'z@example.org',
    );
    expect(out).toContain('1 recipient redirected');
    expect((await posthorn('queue', 'list', '--recipient', 'z@example.org')).out).toContain(
      '0 attempts, due now',
    );
    expect((await posthorn('queue', 'retry', '--all')).out).toContain('recipients due now');
    expect((await posthorn('queue', 'redirect', '--all')).exitCode).toBe(64);
  });

  test('bounce ends it, and the report is in the queue', async () => {
    await posthorn('account', 'add', 'other@example.com', '--generate');
    const { out } = await posthorn('queue', 'bounce', '--id', second, '--reason', 'closed');
    expect(out).toContain('1 recipient bounced');
    const { out: rest } = await posthorn('queue', 'list', '--sender', '<>', '--json');
    expect(JSON.parse(rest)).toMatchObject([{ recipient: 'other@example.com', reversePath: '' }, {}]);
  });

  test('what names nothing in the queue is told apart from what finds nothing', async () => {
    for (const kind of ['retry', 'bounce']) {
      const missing = await posthorn('queue', kind, '--id', '01JRMGQ4TQ0C1B');
      expect(missing, kind).toMatchObject({ exitCode: 66, err: expect.stringContaining('posthorn trace') });
      expect((await posthorn('queue', kind, '--domain', 'example.edu')).exitCode).toBe(0);
      expect((await posthorn('queue', kind)).exitCode).toBe(64);
    }
  });
});

test('what is there, but does not match all of the options, is not said to be gone', async () => {
  const { exitCode, err } = await posthorn('queue', 'hold', '--id', first, '--sender', 'other@example.com');
  expect(exitCode).toBe(66);
  expect(err).toBe(`posthorn: nothing in the queue is ${first} and matches the other options too.\n`);
});

test.each([
  ['queue', 'drop', '--id', 'A', '--id', 'B'],
  ['queue', 'redirect', '--all', '--to', 'a@example.net', '--to', 'b@example.net'],
  ['queue', 'list', '--older-than', '2h', '--older-than', '3h'],
  ['queue', 'suspend', '--domain', 'a.example', '--domain', 'b.example'],
])('%s %s: an option that is there twice is not half dropped', async (...args) => {
  expect(await posthorn(...args)).toMatchObject({
    exitCode: 64,
    err: expect.stringContaining('there twice'),
  });
});

test.each([
  [['queue', 'list', '--after', 'garbage'], 'is no place in the queue'],
  [['queue', 'list', '--site', 'mx.example.net', '--after', 'Q1/0'], 'is no place in the queue'],
  [['queue', 'hold', '--domain', 'x y'], 'is not a domain'],
  [['queue', 'hold', '--site', '*'], 'there is --all'],
  [['queue', 'suspend', '--site', '*'], 'there is --all'],
  [['queue', 'suspend', '--site', '*.Google.com'], 'write google.com'],
  [['queue', 'suspend', '--domain', 'x'.repeat(600)], 'is not a domain'],
  [['queue', 'suspend', '--all', '--for', '0m'], 'no time at all'],
])('%j is told what is wrong with it', async (args, what) => {
  expect(await posthorn(...args)).toMatchObject({
    exitCode: 64,
    out: '',
    err: expect.stringContaining(what),
  });
});

test('an order that finds nothing to do says so, and does not take it for gone', async () => {
  await posthorn('queue', 'hold', '--recipient', 'a@example.net');
  expect(await posthorn('queue', 'hold', '--id', first)).toMatchObject({
    exitCode: 0,
    out: `${first}  b@example.net\n1 recipient on hold; 1 on hold already\n`,
  });
  expect(await posthorn('queue', 'hold', '--recipient', 'a@example.net')).toMatchObject({
    exitCode: 0,
    err: '',
    out: '0 recipients on hold; 1 on hold already\n',
  });
  expect((await posthorn('queue', 'retry', '--id', first)).out).toBe(
    '0 recipients due now; 2 on hold, and left so: see posthorn queue release\n',
  );
  expect(await posthorn('queue', 'release', '--id', second)).toMatchObject({
    exitCode: 0,
    out: '0 recipients released; 1 not on hold\n',
  });
  expect(await posthorn('queue', 'release', '--id', second, '--dry-run')).toMatchObject({ exitCode: 0 });
});

test.each(['--id', '--sender', '--recipient', '--domain', '--site'])(
  'an empty %s, as of a variable that is not set, selects nothing',
  async (option) => {
    const dropped = await posthorn('queue', 'drop', option, '');
    expect(dropped).toMatchObject({ exitCode: 64, err: expect.stringContaining('It is empty') });
    expect(JSON.parse((await posthorn('queue', 'list', '--json')).out)).toHaveLength(3);
  },
);

test('a reason has a limit, with the server down too', async () => {
  const reason = 'x'.repeat(501);
  for (const command of [
    ['queue', 'hold', '--all'],
    ['queue', 'suspend', '--all'],
    ['suppression', 'add', 'gone@example.net'],
  ])
    expect(await posthorn(...command, '--reason', reason)).toMatchObject({
      exitCode: 64,
      err: expect.stringContaining('at most 500 characters'),
    });
});

describe('posthorn queue suspend', () => {
  test('lists, shows in the queue, and resumes', async () => {
    expect((await posthorn('queue', 'suspend')).out).toBe('Nothing is suspended.\n');
    const { out } = await posthorn(
      'queue',
      'suspend',
      '--domain',
      'Example.net',
      '--for',
      '2h',
      '--reason',
      'moving',
    );
    expect(out).toMatch(
      /^mail to example\.net: suspended .*by ann \(by sudo\), for another 2 hours: moving$/m,
    );
    expect((await posthorn('queue', 'suspend')).out).toContain('mail to example.net');
    const list = await posthorn('queue', 'list');
    expect(
      list.out.match(/, suspended\n {4}mail to example.net is suspended by ann \(by sudo\): moving/g),
    ).toHaveLength(2);
    expect((await posthorn('trace', first)).out).not.toContain('resumed');
    expect((await posthorn('queue', 'resume', '--domain', 'example.net')).out).toContain('resumed');
    expect((await posthorn('queue', 'resume', '--domain', 'example.net')).exitCode).toBe(66);
  });

  test('wants to know what', async () => {
    expect((await posthorn('queue', 'resume')).exitCode).toBe(64);
    expect((await posthorn('queue', 'suspend', '--for', '2h')).exitCode).toBe(64);
    expect((await posthorn('queue', 'suspend', '--all', '--site', 'x')).exitCode).toBe(64);
    expect((await posthorn('queue', 'suspend', '--domain', 'not a domain')).exitCode).toBe(64);
    expect((await posthorn('queue', 'suspend', '--site', '')).exitCode).toBe(64);
    expect((await posthorn('queue', 'suspend', '--domain', 'example.com')).err).toContain('--site local');
  });
});

test('operatorName() is the user behind sudo, or the one of this process', () => {
  expect(operatorName({ SUDO_USER: 'ann' })).toBe('ann (by sudo)');
  expect(operatorName({})).not.toBe('');
});
