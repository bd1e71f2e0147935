import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AdminError } from '../admin/admin-error.ts';
import { startControlServer } from '../admin/control-server.ts';
import { localAdmin, type Running } from '../admin/local-admin.ts';
import type { CheckStep } from '../delivery/check/callout.ts';
import type { DossierEvent } from '../dossier/event.ts';
import { noneRefused } from '../reception/abuse/gate.ts';
import { openStore } from '../store/sqlite/open.ts';
import type { Store } from '../store/store.ts';
import { adminParts } from '../testing/admin.ts';
import { changeAllJobs, sampleJob, sampleMessage } from '../testing/store.ts';
import { systemClock } from '../util/clock.ts';
import { createLog } from '../util/log.ts';
import { run } from './run.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'posthorn-cli-'));
  writeFileSync(
    join(directory, 'posthorn.toml'),
    'hostname = "mx.example.com"\n[[domain]]\nname = "example.com"\n[limits]\nmessageBytes = 100000\n',
  );
});
afterAll(() => rmSync(directory, { recursive: true }));

interface Result {
  exitCode: number;
  out: string;
  err: string;
}

/** Runs a command line as a shell would, with `input` on standard input. */
async function posthorn(args: string[], input = ''): Promise<Result> {
  const result = { exitCode: -1, out: '', err: '' };
  const terminal = {
    env: {},
    cwd: directory,
    outIsTty: false,
    inIsTty: false,
    out: (text: string) => (result.out += text),
    err: (text: string) => (result.err += text),
    readInput: async () => Buffer.from(input),
    askSecret: async () => input,
    stopSignal: () => new AbortController().signal,
    onSignal: () => () => undefined,
  };
  result.exitCode = await run(args, { terminal, clock: systemClock });
  return result;
}

test('config explain tells what a key means, config show what is in force', async () => {
  const { exitCode, out } = await posthorn(['config', 'explain', 'limits.recipients']);
  expect([exitCode, out]).toEqual([
    0,
    expect.stringMatching(/^limits\.recipients\n.*452[\s\S]*example {2}recipients = 1000\n$/),
  ]);
  const shown = await posthorn(['config', 'show', '--json']);
  expect(JSON.parse(shown.out).settings).toContainEqual({
    key: 'limits.recipients',
    value: 1000,
    isDefault: true,
  });
  const text = (await posthorn(['config', 'show'])).out;
  expect(text).toMatch(/^hostname = "mx\.example\.com"$/m);
  expect(text).toMatch(/^recipients = 1000 +# default$/m);
});

describe('exit codes', () => {
  test.each([
    ['an unknown command', ['sevre'], 64, /Did you mean serve\?/],
    ['no command', [], 64, /Usage: posthorn/],
    ['an unknown option', ['account', 'list', '--jsno'], 64, /--jsno/],
    ['a missing argument', ['trace'], 64, /missing required argument/],
    ['a password from nowhere', ['account', 'add', 'a@example.com'], 64, /--password-stdin/],
    ['a reset of nothing in particular', ['receivers', 'reset'], 64, /--all/],
    ['a reset of what is not known', ['receivers', 'reset', 'nosuch'], 66, /nothing is remembered of nosuch/],
    ['a drop of nothing in particular', ['queue', 'drop'], 64, /--all/],
    [
      'an address that is none',
      ['send', '--from', 'x', '--to', 'a@example.com', '--text', 'x'],
      64,
      /"x" is not a mail address/,
    ],
    ['a message without recipients', ['send', '--from', 'a@example.com', '--text', 'x'], 64, /--to/],
    ['a message without content', ['send', '--from', 'a@example.com', '--to', 'b@example.org'], 64, /--text/],
    ['a key that is none', ['config', 'explain', 'recipiens'], 66, /Did you mean limits\.recipients\?/],
    ['a reload without a server', ['reload'], 69, /No server runs on/],
    ['a hand-over without a server', ['handover'], 69, /No server runs on/],
    ['a number that is none', ['trace', 'x', '--limit', '0'], 64, /whole number/],
    [
      'a message over the limit',
      ['send', '--from', 'a@example.com', '--to', 'b@example.org', '--text', 'x'.repeat(100_000)],
      65,
      /messageBytes/,
    ],
    ['a file that is not there', ['account', 'import', 'absent.csv'], 66, /there is no .*absent\.csv/],
    ['nothing known of a message', ['trace', 'x@example.com'], 66, /nothing is known/],
    ['no such account', ['account', 'remove', 'x@example.com'], 67, /account add x@example\.com/],
    [
      'a foreign domain',
      ['account', 'add', 'x@example.org', '--generate'],
      67,
      /\[\[domain\]\] name = "example\.org"/,
    ],
    [
      'no server to send',
      ['send', '--from', 'a@example.com', '--to', 'b@example.org', '--text', 'x'],
      69,
      /posthorn serve/,
    ],
    [
      'a configuration that is not there',
      ['account', 'list', '--config', 'absent.toml'],
      66,
      /absent\.toml: cannot be read/,
    ],
    ['a subject that is empty', ['trace', ' '], 64, /the subject is empty/],
    [
      'a release of nobody',
      ['account', 'release', 'x@example.com'],
      67,
      /There is no account x@example\.com/,
    ],
    [
      'two answers to one question',
      ['account', 'set', 'a@example.com', '--receive', 'on', '--receive', 'off'],
      64,
      /there twice/,
    ],
    [
      'a policy and none',
      ['account', 'set', 'a@example.com', '--policy', 'strict', '--no-policy'],
      64,
      /there twice/,
    ],
    [
      'no forward, with a copy',
      ['account', 'forward', 'a@example.com', '--off', '--keep'],
      64,
      /--keep goes with --to/,
    ],
    ['a word for a domain', ['greylist', 'allow', 'foo'], 64, /neither a network nor a domain/],
    ['a server without listeners', ['serve'], 78, /\[\[listener\]\]/],
  ])('run() answers %s with what to do: %j → %i', async (_, args, exitCode, text) => {
    const result = await posthorn(args);
    expect(result.err).toMatch(text);
    expect(result).toMatchObject({ exitCode, out: '' });
  });

  test.each([['help'], ['--help'], ['--version'], ['help', 'account']])(
    'run() shows %s %s on stdout',
    async (...args) => {
      expect(await posthorn(args)).toMatchObject({
        exitCode: 0,
        err: '',
        out: expect.stringMatching(/posthorn|^\d/),
      });
    },
  );

  test('run() tells all problems of a configuration, for people and for programs', async () => {
    writeFileSync(
      join(directory, 'bad.toml'),
      'hostnme = "x"\n[[listener]]\nprotocol = "smtp"\nport = "25"\n',
    );
    const check = await posthorn(['config', 'check', '--config', 'bad.toml']);
    expect(check.exitCode).toBe(78);
    expect(check.err).toMatch(/bad\.toml:1: hostnme: .*\n.*Did you mean hostname\?/);
    expect(check.err).toMatch(/bad\.toml:4: listener\[1\]\.port: "25" is not a port/);
    const json = await posthorn(['config', 'check', '--config', 'bad.toml', '--json']);
    expect(json.exitCode).toBe(78);
    expect(JSON.parse(json.out).problems).toHaveLength(3);
  });

  test('config check says which transports there are', async () => {
    const transport =
      '[[transport]]\ndomains = ["*"]\nsenders = ["example.com"]\nprotocol = "smtps"\nhost = "r.example"';
    writeFileSync(
      join(directory, 'transports.toml'),
      `hostname = "mx.example.com"\n[[listener]]\nprotocol = "smtp"\n${transport}\n`,
    );
    const check = await posthorn(['config', 'check', '--config', 'transports.toml']);
    expect(check.out).toContain('  mail to * from example.com: relay smtps r.example:465\n');
  });

  test('config check and doctor name a domain of ours whose mail no source sends', async () => {
    const source = '[[source]]\naddress = "127.0.0.1"\nsenders = ["a@example.com", "example.net"]';
    const domains = ['example.com', 'example.net'].map((name) => `[[domain]]\nname = "${name}"\n`).join('');
    writeFileSync(
      join(directory, 'sources.toml'),
      `hostname = "mx.example.com"\nresolver = ["127.0.0.1:9"]\n[[listener]]\nprotocol = "smtp"\n${domains}${source}\n`,
    );
    const check = await posthorn(['config', 'check', '--config', 'sources.toml']);
    expect(check.out).toContain('warning: no [[source]] is for example.com: what it sends by MX waits. Put ');
    expect(check.out).not.toContain('is for example.net');
    const json = await posthorn(['config', 'check', '--config', 'sources.toml', '--json']);
    expect(JSON.parse(json.out).withoutSource).toEqual(['example.com']);
    const doctor = await posthorn(['doctor', '--config', 'sources.toml']);
    expect(doctor.out).toContain('  example.com: what it sends by MX waits\n    error ');
  });
});

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
    expect(JSON.parse(imported.out)).toEqual({ added: 1, existing: ['bob@example.com'] });
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

test('P11: posthorn dkim makes a private key and prints the record that belongs to it, never over another key', async () => {
  const args = ['dkim', 'generate', 'example.com', '--selector', 's1', '--out', 'keys/s1.pem'];
  const { exitCode, out } = await posthorn(args);
  expect(exitCode).toBe(0);
  expect(out).toContain('s1._domainkey.example.com. IN TXT (\n  "v=DKIM1; k=rsa; p=');
  expect(out).toContain('dkim = { selector = "s1", key = ');
  expect(statSync(join(directory, 'keys/s1.pem')).mode & 0o777).toBe(0o600);
  const key = readFileSync(join(directory, 'keys/s1.pem'), 'utf8');
  expect(await posthorn(args)).toMatchObject({ exitCode: 73 });
  expect(readFileSync(join(directory, 'keys/s1.pem'), 'utf8')).toBe(key);

  const toml =
    'hostname = "mx.example.com"\n[[domain]]\nname = "example.com"\ndkim = { selector = "s1", key = "keys/s1.pem" }';
  writeFileSync(join(directory, 'signed.toml'), toml);
  const record = await posthorn(['dkim', 'record', 'example.com', '--config', 'signed.toml', '--json']);
  const { host, value } = JSON.parse(record.out);
  expect(host).toBe('s1._domainkey.example.com');
  expect(out).toContain(`value  ${value}`);
});

test('posthorn dns records prints what to publish, as a table, a zone file and JSON', async () => {
  await posthorn(['dkim', 'generate', 'example.com', '--out', 'zone.rsa.pem']);
  await posthorn(['dkim', 'generate', 'example.com', '--type', 'ed25519', '--out', 'zone.ed.pem']);
  const keys = '[{ selector = "r", key = "zone.rsa.pem" }, { selector = "e", key = "zone.ed.pem" }]';
  const toml = `hostname = "mx.example.com"\nresolver = ["127.0.0.1:1"]\n[[domain]]\nname = "example.com"\ndkim = ${keys}`;
  writeFileSync(join(directory, 'dns.toml'), toml);
  const records = (...more: string[]) =>
    posthorn(['dns', 'records', '--config', 'dns.toml', '--address', '203.0.113.7', ...more]);
  expect((await records()).out).toMatch(/^In the zone example\.com\n {2}A {6}mx +203\.0\.113\.7\n/);
  expect((await records('example.com', '--zone')).out).toContain(
    'example.com.  3600  IN  MX  10 mx.example.com.\n',
  );
  const { out } = await records('--json');
  const dkim = JSON.parse(out).records.filter(({ purpose }: { purpose: string }) => purpose === 'dkim');
  expect(dkim).toMatchObject([
    { name: 'r._domainkey.example.com', need: 'required', data: expect.stringContaining('k=rsa') },
    { name: 'e._domainkey.example.com', need: 'recommended', data: expect.stringContaining('k=ed25519') },
  ]);
  expect(await records('example.org')).toMatchObject({ exitCode: 67 });
  expect(await posthorn(['dns', 'records', '--config', 'dns.toml', '--address', '10.0.0.1'])).toMatchObject({
    exitCode: 64,
    err: expect.stringContaining('not public'),
  });
});

test('posthorn quickstart makes a server that other commands know, and prints what to enter', async () => {
  const prefix = join(directory, 'quick');
  const args = [
    'quickstart',
    'example.com',
    '--user',
    'alice',
    '--prefix',
    'quick',
    '--address',
    '203.0.113.7',
  ];
  const { out } = await posthorn(args);
  expect(out).toMatch(/\n\[14\/14\] service +- +not installed/);
  expect(out).toMatch(/\nAccount alice@example\.com\nPassword [\w-]{20} {3}\(shown this once\)\n/);
  expect(out).toContain('  MX     @                     10 mx.example.com\n');
  expect(out).toContain('Next:\n  1. start the server:  posthorn serve --config ');
  const config = ['--config', join(prefix, 'etc/posthorn/posthorn.toml')];
  expect((await posthorn(['config', 'check', ...config])).exitCode).toBe(0);
  expect((await posthorn(['account', 'list', ...config])).out).toContain('alice@example.com');
  const again = JSON.parse((await posthorn([...args, '--json'])).out);
  expect(again).toMatchObject({ domain: 'example.com', account: { address: 'alice@example.com' } });
  expect(again.account.password).toBeUndefined();

  expect(await posthorn(['quickstart', 'nonsense'])).toMatchObject({ exitCode: 64 });
  expect(await posthorn(['quickstart', 'example.com', '--hostname', 'mx'])).toMatchObject({ exitCode: 64 });
}, 60_000);

describe('posthorn send', () => {
  const queueId = '01JRMGQ4TQ0A1B';
  const endpoint = { host: 'mx.example.net', address: '192.0.2.7', port: 25 };
  let store: Store;
  let stop: () => Promise<void>;
  let sent: { from: string; recipients: string[]; content: string } | undefined;
  let events: DossierEvent[];

  beforeEach(async () => {
    sent = undefined;
    events = [];
    store = await openStore({ dataDir: join(directory, 'data') });
    const running: Running = {
      endSessions: () => undefined,
      accountsChanged: () => undefined,
      abuseCounts: () => ({
        since: Date.now() - 60 * 60_000,
        refused: { ...noneRefused, banned: 12 },
        delayed: 1,
        remembered: 3,
      }),
      forgiven: () => undefined,
      async submit(from, recipients, content) {
        sent = { from, recipients, content: content.toString('latin1') };
        await store.appendEvents(events.map((event) => ({ ...event })));
        return {
          queueId,
          refused: recipients
            .filter((one) => one.startsWith('nobody'))
            .map((recipient) => ({ recipient, reply: '550 5.1.1 No such user here' })),
        };
      },
      async checkAddress(address) {
        if (address.startsWith('often')) throw new AdminError('too-many', 'Ask again in 5 min.');
        const verdict = address.startsWith('nobody') ? 'undeliverable' : 'cannot tell';
        const evidence = ['450 later'];
        const steps: CheckStep[] = [
          { step: 'question', finding: 'unclear', text: 'Asked \x1b[2J.', evidence },
        ];
        return {
          address,
          verdict,
          why: 'That is so.',
          steps,
          dialogue: [[1, 'C: RCPT TO:<x>']],
          checkedAt: 0,
          durationMs: 1,
        };
      },
      outlookOf: async () => ({
        site: 'mx.example.net',
        limits: { connections: 2, start: 2 },
        allowed: 2,
        active: 0,
        waiting: 0,
        proven: true,
      }),
      concurrency: 10,
      receiversForgotten: () => undefined,
      lookAtSources: async () => [],
      look: () => undefined,
      withhold: async () => () => undefined,
      suspend: async () => undefined,
      inLine: () => [],
    };
    const admin = localAdmin(adminParts(store, { running }));
    const path = join(directory, 'data', 'control.sock');
    const server = await startControlServer({
      path,
      admin: () => admin,
      maxContentBytes: () => 100_000,
      log: createLog('silent'),
    });
    stop = () => server.stop();
  });

  afterEach(async () => {
    await stop();
    await changeAllJobs(store, { kind: 'drop' });
    await store.pruneEvents({ before: Number.MAX_SAFE_INTEGER, maxBytes: 0 });
    await store.close();
  });

  const delivered = (recipient: string): DossierEvent[] => [
    {
      at: 1,
      queueId,
      recipient,
      event: 'attempted',
      data: {
        endpoint,
        reused: false,
        dialogue: [
          [0, 'S: 220 hello'],
          [1, 'C: QUIT'],
        ],
      },
    },
    { at: 2, queueId, recipient, event: 'delivered', data: { endpoint, reply: '250 2.0.0 Taken' } },
  ];
  const failed = (recipient: string): DossierEvent[] => [
    {
      at: 2,
      queueId,
      recipient,
      event: 'failed',
      data: {
        reason: '550 5.1.1 Who?',
        status: '5.1.1',
        phase: 'sending RCPT TO',
        rule: '5xx is final',
        endpoint,
      },
    },
  ];
  const base = ['send', '--from', 'Bob <bob@example.com>'];

  test('M10: posthorn send shows sent, queued and refused for each recipient, with the dialogue', async () => {
    events = [...delivered('a@example.net'), ...failed('b@example.net')];
    const recipients = ['a@example.net', 'b@example.net', 'nobody@example.com'].flatMap((to) => ['--to', to]);
    const { exitCode, out } = await posthorn([...base, ...recipients, '--text', 'hi']);
    expect(out).toContain(
      [
        `Accepted as ${queueId}.`,
        'sent     a@example.net  250 2.0.0 Taken',
        'refused  b@example.net  550 5.1.1 Who?',
        'refused  nobody@example.com  550 5.1.1 No such user here',
      ].join('\n'),
    );
    expect(out).toContain('S: 220 hello');
    expect(exitCode).toBe(1);
  });

  test('M11: posthorn check asks the running server, and says by its exit code what it found', async () => {
    const unclear = await posthorn(['check', 'bob@example.net']);
    expect(unclear).toMatchObject({ exitCode: 2 });
    expect(unclear.out).toMatch(
      /^bob@example\.net: cannot tell\nThat is so\.\nThis is what was found at 1970.*\n\nquestion {2}Asked \\x1b\[2J\.\n {10}450 later\n$/,
    );
    const { exitCode, out } = await posthorn(['check', 'nobody@example.net', '--json']);
    expect([exitCode, JSON.parse(out).verdict]).toEqual([1, 'undeliverable']);
    expect((await posthorn(['check', 'bob@example.net', '--dialogue'])).out).toContain('C: RCPT TO:<x>');
    const often = await posthorn(['check', 'often@example.net']);
    expect(often).toMatchObject({ exitCode: 75, err: 'posthorn: Ask again in 5 min.\n' });
  });

  test('M10: posthorn send --json tells results and events; what is queued is told apart from what is refused', async () => {
    const deferral = {
      reason: '451 4.7.1 Later',
      status: '4.7.1',
      phase: 'sending RCPT TO',
      rule: '4xx',
      attempts: 1,
    };
    const c = 'c@example.net';
    events = [
      ...delivered('a@example.net'),
      { at: 3, queueId, recipient: c, event: 'deferred', data: { ...deferral, nextAttemptAt: 900_003 } },
    ];
    const { exitCode, out } = await posthorn([
      ...base,
      '--to',
      `a@example.net, ${c}`,
      '--text',
      'hi',
      '--json',
    ]);
    const result = JSON.parse(out);
    expect(result.recipients).toEqual([
      { recipient: 'a@example.net', result: 'sent', detail: '250 2.0.0 Taken' },
      { recipient: c, result: 'queued', detail: '451 4.7.1 Later' },
    ]);
    expect(result.events[0]).toMatchObject({
      at: 1,
      queueId,
      recipient: 'a@example.net',
      event: 'attempted',
      endpoint,
    });
    expect(exitCode).toBe(2);
  });

  test('posthorn send says so when no dossier tells what became of a message', async () => {
    const { exitCode, out } = await posthorn([...base, '--to', 'a@example.net', '--text', 'hi']);
    expect(out).toContain('unknown  a@example.net  has left the queue, and no dossier was kept');
    expect(exitCode).toBe(2);
  });

  test('M8: posthorn send composes alternatives and attachments, and no header names a Bcc', async () => {
    writeFileSync(join(directory, 'note.txt'), 'attached');
    events = delivered('a@example.net');
    const more = [
      '--cc',
      'c@example.net',
      '--bcc',
      'hidden@example.net',
      '--subject',
      'Grüße',
      '--html',
      '<b>hi</b>',
    ];
    await posthorn([...base, '--to', 'a@example.net', ...more, '--text', 'hi', '--attach', 'note.txt']);
    expect(sent?.from).toBe('bob@example.com');
    expect(sent?.recipients).toEqual(['a@example.net', 'c@example.net', 'hidden@example.net']);
    expect(sent?.content).toMatch(/^Content-Type: multipart\/mixed/im);
    expect(sent?.content).toMatch(/multipart\/alternative/);
    expect(sent?.content).toMatch(/filename="?note\.txt/);
    expect(sent?.content).not.toMatch(/hidden|^Bcc/im);
  });

  test('posthorn send --file takes a message as it is, with CRLF line ends', async () => {
    events = delivered('a@example.net');
    await posthorn(
      [...base, '--to', 'a@example.net', '--file', '-'],
      'From: x@example.com\nX:  odd \r\n\nbody\u00e4\n',
    );
    expect(sent?.content).toBe('From: x@example.com\r\nX:  odd \r\n\r\nbody\u00c3\u00a4\r\n');
  });

  test('P14: posthorn trace reads the dialogue afterwards, as text and as a JSON array', async () => {
    await store.appendEvents(delivered('a@example.net').map((event) => ({ ...event })));
    expect((await posthorn(['trace', queueId])).out).toContain('C: QUIT');
    const { out } = await posthorn(['trace', 'a@example.net', '--json']);
    expect(JSON.parse(out)).toEqual([
      {
        at: 1,
        queueId,
        recipient: 'a@example.net',
        event: 'attempted',
        endpoint,
        reused: false,
        dialogue: [
          [0, 'S: 220 hello'],
          [1, 'C: QUIT'],
        ],
      },
      { at: 2, queueId, recipient: 'a@example.net', event: 'delivered', endpoint, reply: '250 2.0.0 Taken' },
    ]);
  });

  test('P7: posthorn trace says when what waits is likely to go', async () => {
    const nextAttemptAt = Date.now() + 20 * 60_000;
    const job = sampleJob(queueId, {
      recipient: 'a@example.net',
      nextAttemptAt,
      expiresAt: 9e15,
      attempts: 1,
    });
    const data = { status: '4.0.0', phase: 'x', rule: 'x', reason: 'x', attempts: 1, nextAttemptAt };
    const deferred = { at: 1, queueId, recipient: 'a@example.net', event: 'deferred', data };
    await store.accept(sampleMessage(queueId, { jobs: [job], events: [deferred] }));
    const { out } = await posthorn(['trace', queueId]);
    expect(out).toMatch(
      /\n01JRMGQ4TQ0A1B {2}a@example\.net is likely to go in about 20 minutes \(.* UTC\): its next attempt is planned for .* UTC\.\n$/,
    );
    expect((await posthorn(['trace', queueId, '--json'])).out).not.toContain('likely');
    await stop();
    await store.close();
    expect((await posthorn(['trace', queueId])).out).toMatch(
      /is due at .* UTC, but no server is running\.\n$/,
    );
    store = await openStore({ dataDir: join(directory, 'data') });
    stop = async () => undefined;
    await changeAllJobs(store, { kind: 'drop' });
  });
});

test('posthorn greylist allows, lists and forgets networks and domains', { timeout: 30_000 }, async () => {
  expect((await posthorn(['greylist', 'list'])).out).toBe('Nobody was asked to come again.\n');
  const allowed = await posthorn(['greylist', 'allow', '192.0.2.0/24', '--reason', 'our other office']);
  expect(allowed).toMatchObject({ exitCode: 0, out: '192.0.2.0/24 need not wait from now on\n' });
  expect((await posthorn(['greylist', 'allow', 'Friend.example', '--json'])).out).toContain('friend.example');
  const { out } = await posthorn(['greylist']);
  expect(out).toMatch(/^192\.0\.2\.0\/24 {2}need not wait, by .*: our other office$/m);
  expect(await posthorn(['greylist', 'remove', 'friend.example'])).toMatchObject({ exitCode: 0 });
  expect(await posthorn(['greylist', 'remove', 'friend.example'])).toMatchObject({ exitCode: 66 });
  expect(await posthorn(['greylist', 'allow', '192.0.2.0/99'])).toMatchObject({ exitCode: 64 });
});

test('posthorn senders says what is known, which is nothing at first', async () => {
  expect((await posthorn(['senders'])).out).toBe('Nothing has come from strangers yet.\n');
  expect(await posthorn(['senders', 'show', '192.0.2.0/24'])).toMatchObject({ exitCode: 66 });
  expect(await posthorn(['senders', 'forget', 'example.org'])).toMatchObject({ exitCode: 66 });
});

test('posthorn account add takes no password that is short', { timeout: 30_000 }, async () => {
  const add = (password: string) =>
    posthorn(['account', 'add', 'eight@example.com', '--password-stdin'], `${password}\n`);
  expect(await add('7 chars')).toMatchObject({ exitCode: 64, err: expect.stringContaining('--generate') });
  expect(await add('8 chars!')).toMatchObject({ exitCode: 0 });
});
