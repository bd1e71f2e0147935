import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseConfig } from './load.ts';
import { ConfigError } from './problem.ts';

const directory = mkdtempSync(join(tmpdir(), 'posthorn-transports-'));
afterAll(() => rmSync(directory, { recursive: true }));
const file = join(directory, 'posthorn.toml');
writeFileSync(join(directory, 'password'), 'se cret\r\nsecond line\n', { mode: 0o600 });
writeFileSync(join(directory, 'empty'), '\n');
writeFileSync(join(directory, 'program'), '#!/bin/sh\n');
chmodSync(join(directory, 'program'), 0o755);

const base = 'hostname = "mx.example.com"\n';

async function transportsOf(toml: string) {
  return (await parseConfig(base + toml, file)).transports;
}

/** `key: what | remedy` of everything that is wrong. */
async function problemsOf(toml: string): Promise<string> {
  try {
    await parseConfig(base + toml, file);
    return '';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ key, what, remedy }) => `${key}: ${what} | ${remedy}`).join('\n');
  }
}

const table = (...lines: string[]) => `[[transport]]\n${lines.join('\n')}\n`;
const everything = 'domains = ["*"]';
const secret = 'user = "us"\npasswordFile = "password"';

describe('[[transport]]', () => {
  test('reads all kinds, with their defaults', async () => {
    const toml = [
      table('domains = ["*"]', 'protocol = "submission"', 'host = "Smtp.Example.com"', secret),
      table('domains = ["Bücher.example", ".example.org"]', 'protocol = "smtps"', 'host = "192.0.2.1"'),
      table('domains = ["a.example"]', 'protocol = "smtp"', 'host = "2001:db8::1"', 'port = 2525'),
      table('domains = ["b.example"]', 'protocol = "smtp"', 'host = "relay.example"', secret),
      table('domains = ["c.example"]', 'protocol = "lmtp"', 'host = "localhost"'),
      table('domains = ["d.example"]', 'protocol = "lmtp"', 'socket = "run/lmtp"', secret),
      table(
        'domains = ["e.example"]',
        'senders = ["Bob@Example.com", "Bücher.example"]',
        'protocol = "pipe"',
        `command = ["${join(directory, 'program')}", "-d", "\${user}"]`,
      ),
      table('domains = ["f.example"]', 'protocol = "mx"'),
      table(
        'domains = ["g.example"]',
        'protocol = "smtp"',
        'host = "127.0.0.1"',
        'allowPlaintextAuth = true',
        secret,
      ),
    ].join('');
    const login = { user: 'us', passwordFile: { file: join(directory, 'password') } };
    const plain = { allowPlaintextAuth: false };
    expect(await transportsOf(toml)).toEqual([
      {
        domains: ['*'],
        way: {
          protocol: 'submission',
          at: { host: 'smtp.example.com', port: 587 },
          tls: 'verified',
          login,
          ...plain,
        },
      },
      {
        domains: ['xn--bcher-kva.example', '.example.org'],
        way: { protocol: 'smtps', at: { host: '192.0.2.1', port: 465 }, tls: 'verified', ...plain },
      },
      {
        domains: ['a.example'],
        way: { protocol: 'smtp', at: { host: '2001:db8::1', port: 2525 }, tls: 'opportunistic', ...plain },
      },
      {
        domains: ['b.example'],
        way: { protocol: 'smtp', at: { host: 'relay.example', port: 25 }, tls: 'verified', login, ...plain },
      },
      {
        domains: ['c.example'],
        way: { protocol: 'lmtp', at: { host: 'localhost', port: 24 }, tls: 'opportunistic', ...plain },
      },
      {
        domains: ['d.example'],
        way: {
          protocol: 'lmtp',
          at: { socket: join(directory, 'run/lmtp') },
          tls: 'opportunistic',
          login,
          ...plain,
        },
      },
      {
        domains: ['e.example'],
        senders: ['bob@example.com', 'xn--bcher-kva.example'],
        way: {
          protocol: 'pipe',
          command: [join(directory, 'program'), '-d', `\${user}`],
          timeoutMs: 300_000,
          concurrency: 5,
        },
      },
      { domains: ['f.example'], way: { protocol: 'mx' } },
      {
        domains: ['g.example'],
        way: {
          protocol: 'smtp',
          at: { host: '127.0.0.1', port: 25 },
          tls: 'opportunistic',
          login,
          allowPlaintextAuth: true,
        },
      },
    ]);
  });

  test('relayHost is the short form of one that takes everything, and beside others it comes last', async () => {
    const toml = `[delivery]\nrelayHost = "relay.example:26"\n${table('domains = ["a.example"]', 'protocol = "mx"')}`;
    expect(await transportsOf(toml)).toEqual([
      { domains: ['a.example'], way: { protocol: 'mx' } },
      {
        domains: ['*'],
        way: {
          protocol: 'smtp',
          at: { host: 'relay.example', port: 26 },
          tls: 'opportunistic',
          allowPlaintextAuth: false,
        },
      },
    ]);
  });

  const smtp = 'protocol = "smtp"\nhost = "relay.example"';
  const submission = 'protocol = "submission"\nhost = "relay.example"';
  const pipe = 'protocol = "pipe"';
  test.each([
    ['no host', table(everything, 'protocol = "smtps"'), /protocol: smtps needs a host \| .*host = /],
    ['no place for LMTP', table(everything, 'protocol = "lmtp"'), /lmtp needs a host \| .*socket = /],
    [
      'two places for LMTP',
      table(everything, 'protocol = "lmtp"', 'host = "localhost"', 'socket = "/run/lmtp"'),
      /socket: there is a host already/,
    ],
    [
      'a socket for SMTP',
      table(everything, smtp, 'socket = "/run/x"'),
      /socket: means nothing with .*"smtp"/,
    ],
    ['a user without password', table(everything, smtp, 'user = "us"'), /user: .*no password/],
    ['a password without user', table(everything, smtp, 'passwordFile = "password"'), /no user/],
    [
      'a password in clear text',
      table(everything, smtp, secret, 'tls = "opportunistic"'),
      /tls: the password would be sent in clear text/,
    ],
    [
      'a password in clear text to another machine',
      table(everything, smtp, secret, 'allowPlaintextAuth = true'),
      /allowPlaintextAuth: .*relay\.example in clear text/,
    ],
    ['submission without TLS', table(everything, submission, 'tls = "opportunistic"'), /never without TLS/],
    [
      'TLS on a Unix socket',
      table(everything, 'protocol = "lmtp"', 'socket = "/run/lmtp"', 'tls = "required"'),
      /tls: nobody listens in/,
    ],
    ['a pipe without command', table(everything, pipe), /command: a pipe needs a command/],
    ['an empty command', table(everything, pipe, 'command = []'), /command: a pipe needs a command/],
    ['a command to be looked for', table(everything, pipe, 'command = ["procmail"]'), /not the full path/],
    [
      'a command that is not there',
      table(everything, pipe, 'command = ["/nonexistent/x"]'),
      /command\[1\]: there is no program \/nonexistent\/x/,
    ],
    [
      'an unknown variable',
      table(everything, pipe, `command = ["/bin/cat", "\${mailbox}"]`),
      /command\[2\]: nobody knows what \$\{mailbox\} is \| Known are \$\{recipient\}/,
    ],
    [
      'a host for a pipe',
      table(everything, pipe, 'command = ["/bin/cat"]', 'host = "a.example"'),
      /host: means nothing/,
    ],
    ['a host for MX', table(everything, 'protocol = "mx"', 'host = "a.example"'), /host: means nothing/],
    ['no domain', table('domains = []', smtp), /domains: names no domain/],
    ['domains that are missing', table(smtp), /transport\[1\]\.domains: /],
    ['no sender', table(everything, 'senders = []', smtp), /senders: names no sender/],
    ['something that is no domain', table('domains = ["a b"]', smtp), /"a b" is not a domain \| .*"\*"/],
    ['something that is no sender', table(everything, 'senders = ["@x"]', smtp), /"@x" is not a sender/],
    ['an unknown protocol', table(everything, 'protocol = "smpt"'), /Did you mean "smtp"/],
    ['a misspelt key', table(everything, smtp, 'sender = ["a.example"]'), /Did you mean senders/],
    ['[transport] for [[transport]]', '[transport]\nprotocol = "smtp"', /Write it as \[\[transport\]\]/],
    [
      'an empty password file',
      table(everything, smtp, 'user = "us"', 'passwordFile = "empty"'),
      /empty is not a file with a password \(its first line is empty\)/,
    ],
    [
      'a password file that is not there',
      table(everything, smtp, 'user = "us"', 'passwordFile = "nofile"'),
      /passwordFile: there is no file/,
    ],
    [
      'one of our own domains',
      `${table('domains = ["example.com"]', smtp)}[[domain]]\nname = "example.com"\n`,
      /domains\[1\]: example\.com is a \[\[domain\]\] of ours/,
    ],
    [
      'two for the same domain',
      table('domains = ["a.example"]', smtp) + table('domains = ["b.example", "A.example"]', smtp),
      /transport\[2\]\.domains\[2\]: mail for a\.example has the 1\. \[\[transport\]\] already/,
    ],
    [
      'two for the same domain and sender',
      table(everything, smtp, 'senders = ["a.example", "b@b.example"]') +
        table(everything, smtp, 'senders = ["b@b.example"]'),
      /mail for \* from b@b\.example has the 1\. /,
    ],
    [
      'one for everything beside relayHost',
      `[delivery]\nrelayHost = "relay.example"\n${table(everything, smtp)}`,
      /mail for \* has \[delivery\] relayHost already/,
    ],
  ])('is refused with %s', async (_, toml, expected) => {
    expect(await problemsOf(toml)).toMatch(expected);
  });

  test.each([
    ['a host with its port', table(everything, 'protocol = "smtp"', 'host = "192.0.2.1:25"'), 'host'],
    ['a command that is no list', table(everything, pipe, 'command = "/bin/cat"'), 'command'],
    ['a user that is none', table(everything, smtp, 'user = 5', 'passwordFile = "password"'), 'user'],
  ])('%s is one problem, and nothing is missing besides', async (_, toml, key) => {
    const problems = await problemsOf(toml);
    expect(problems).toMatch(new RegExp(`^transport\\[1\\]\\.${key}: .* is not a `));
    expect(problems.split('\n')).toHaveLength(1);
  });

  test('is refused where it leads to a listener of ours', async () => {
    const listener = '[[listener]]\nprotocol = "smtp"\naddress = "127.0.0.1"\n';
    const problems = await problemsOf(
      listener + table(everything, 'protocol = "smtp"', 'host = "localhost"'),
    );
    expect(problems).toMatch(/^transport\[1\]\.host: localhost port 25 is a listener of this server/);
  });

  test('may share a domain where the senders differ', async () => {
    const toml =
      table(everything, smtp) +
      table(everything, smtp, 'senders = ["a.example"]') +
      table(everything, smtp, 'senders = ["b@a.example"]');
    expect(await problemsOf(toml)).toBe('');
  });
});
