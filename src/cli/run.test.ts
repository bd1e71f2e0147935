import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { commandStage } from '../testing/command-line.ts';

const stage = commandStage();
const { directory, posthorn } = stage;
afterAll(() => stage[Symbol.dispose]());

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

test('posthorn dns records prints what does not depend on a damaged file, and says what is missing', async () => {
  const toml =
    'hostname = "mx.example.com"\ndataDir = "damaged"\nresolver = ["127.0.0.1:1"]\n[acme]\ntermsAgreed = true\n[[listener]]\nprotocol = "http"\n[[domain]]\nname = "example.com"';
  writeFileSync(join(directory, 'damaged.toml'), toml);
  mkdirSync(join(directory, 'damaged/acme'), { recursive: true });
  writeFileSync(join(directory, 'damaged/acme/account.json'), '{"key":');
  const records = (...more: string[]) =>
    posthorn(['dns', 'records', '--config', 'damaged.toml', '--address', '203.0.113.7', ...more]);
  const { exitCode, out, err } = await records();
  expect(exitCode).toBe(1);
  expect(out).toContain('mx.example.com');
  expect(out).not.toContain('CAA');
  expect(err).toMatch(
    /^posthorn: .*acme\/account\.json is damaged: the CAA record is missing here\. .*backup/m,
  );
  expect(JSON.parse((await records('--json')).out).unusable).toMatchObject([
    { role: 'account', problem: 'is damaged', remedy: expect.stringContaining('backup') },
  ]);
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
