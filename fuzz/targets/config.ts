/** What administrators write: the configuration, accounts as CSV, keys. Wrong text is told; it never throws anything else. */

import { dkimRecord, parseDkimKey } from '../../src/authentication/dkim-key.ts';
import { accountRows } from '../../src/cli/account-csv.ts';
import { readAccountRows } from '../../src/cli/account-rows.ts';
import { isPasswdFile, passwdRows } from '../../src/cli/passwd-file.ts';
import { parseConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/config/problem.ts';
import { address } from '../grammar/addresses.ts';
import type { Random } from '../random.ts';
import { between, demand, type Target } from './target.ts';

async function readConfig(input: Buffer): Promise<void> {
  try {
    await parseConfig(input.toString('utf8'), '/etc/posthorn/posthorn.toml', { checkFiles: false });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    demand(error.problems.length > 0, 'an error without a problem');
    for (const { what, remedy, line = 1 } of error.problems)
      demand(what !== '' && remedy !== '' && line >= 1, 'a problem that says nothing');
  }
}

const sample = `hostname = "mx.example.org" # ours
dataDir = 'data'
resolver = ["127.0.0.1:53", "[::1]:53"]
[[listener]]
protocol = "smtp"
port = 25
bareNewline = "reject"
[[listener]]
protocol = "pop3"
address = "127.0.0.1"
allowPlaintextAuth = true
[tls]
cert = "a.pem"
key = "b.pem"
[[domain]]
name = "example.org"
postmaster = "bob@example.org"
dkim = { selector = "s", key = """k""" }
[relay]
trustedNetworks = [
  "192.0.2.0/24", # one
  "2001:db8::/32",
]
[delivery]
relayHost = "smtp.example.com:25"
[[transport]]
domains = ["*", ".example.net"]
senders = ["a@example.org", "example.com"]
protocol = "submission"
host = "smtp.example.com"
tls = "verified"
user = "us"
passwordFile = "password"
[[transport]]
domains = ["pipe.example"]
protocol = "pipe"
command = ["/bin/cat", "\${recipient}"]
[limits]
messageBytes = 0x100000
idleSeconds = 1_000
[dossier]
enabled = true
days = 30
`;

const lines = sample.split('\n');
const oddLines = [
  'a.b.c = 1',
  '[a.b]',
  '[[listener.x]]',
  '"quoted key" = 1',
  "'' = ''",
  'x = {a = {b = {}}}',
  'x = [[[]]]',
  'd = 1979-05-27T07:32:00Z',
  'f = inf',
  'i = 99999999999999999999',
  '__proto__ = 1',
  '[constructor.prototype]',
  '\\u0000',
];

function configLines(random: Random): Buffer {
  const written = random.some(25, () => (random.oneIn(4) ? random.pick(oddLines) : random.pick(lines)));
  return Buffer.from(written.join(random.pick(['\n', '\n', '\r\n'])));
}

const config: Target = {
  name: 'config',
  seeds: () => [Buffer.from(sample)],
  generate: configLines,
  read: readConfig,
  longestRunBytes: 500 * 1024,
  places: [
    between('hostname = "', '"'),
    between('hostname = """', '"""'),
    between('resolver = [', ']'),
    between('x = {', '}'),
    between('', ' = 1'),
    between('[', ']'),
    between('[[', ']]'),
    between('x = '),
  ],
};

const accounts: Target = {
  name: 'accounts-csv',
  seeds: () =>
    [
      'address,password\nbob@example.org,secret\n',
      '"bob@example.org","a,""b"\r\nalice@example.org,$argon2id$x',
    ].map((text) => Buffer.from(text)),
  generate: (random) =>
    Buffer.from(
      random
        .some(8, () => `${address(random)},${random.pick(['secret', '"a""b"', '', '"', '$argon2id$'])}`)
        .join('\n'),
    ),
  read(input) {
    const { accounts, problems } = readAccountRows(accountRows(input.toString('utf8')), {
      domains: [{ name: 'example.org' }],
    });
    demand(
      accounts.every(({ address }) => address.endsWith('@example.org')),
      'an account of another domain',
    );
    demand(
      problems.every((problem) => /^line \d+: ./.test(problem)),
      'a problem without a line',
    );
  },
  places: [between('a@example.org,"'), between('a@example.org,'), between('"a"\n')],
};

const passwdFile: Target = {
  name: 'passwd-file',
  seeds: () =>
    ['ann@example.org:{ARGON2ID}$argon2id$x:1000:1000::/home/ann::\n', '# people\n\n\nbob:secret::\n'].map(
      (text) => Buffer.from(text),
    ),
  read(input) {
    const text = input.toString('utf8');
    return isPasswdFile(text) && readAccountRows(passwdRows(text), { domains: [{ name: 'example.org' }] });
  },
  places: [between('', ','), between('# a\n', ','), between('a:'), between('a:{', '\nb')],
};

const key: Target = {
  name: 'dkim-key',
  seeds: () =>
    [
      '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n',
      '-----BEGIN PUBLIC KEY-----',
      'Proc-Type: 4,ENCRYPTED',
    ].map((text) => Buffer.from(text)),
  read(input) {
    try {
      dkimRecord(parseDkimKey(input.toString('utf8')).key);
    } catch (error) {
      demand(
        error instanceof Error && error.message.startsWith('Cannot '),
        'an error that does not say what to do',
      );
    }
  },
  places: [between('-----BEGIN PRIVATE KEY-----\n'), between('Proc-Type:'), between('-----BEGIN ')],
};

export const configuration: readonly Target[] = [config, accounts, passwdFile, key];
