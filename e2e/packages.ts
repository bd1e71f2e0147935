/** Brings the programs that the scenarios talk to, by apt; needs root, and Debian. */

import { access, chmod, constants, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { run } from './process.ts';

/** Debian's package by the program that we call. */
const packageOf: Readonly<Record<string, string>> = {
  // In no folder of programs, but beside one.
  '../lib/git-core/git-send-email': 'git-email',
  'bsd-mailx': 'bsd-mailx',
  clamd: 'clamav-daemon',
  curl: 'curl',
  deluser: 'adduser',
  dkimverify: 'python3-dkim',
  faketime: 'faketime',
  doveadm: 'dovecot-core',
  dovecot: 'dovecot-core',
  fetchmail: 'fetchmail',
  haproxy: 'haproxy',
  fish: 'fish',
  gsasl: 'gsasl',
  ip: 'iproute2',
  'ldns-signzone': 'ldnsutils',
  man: 'man-db',
  mpop: 'mpop',
  msmtp: 'msmtp',
  mutt: 'mutt',
  nc: 'netcat-openbsd',
  nsd: 'nsd',
  nginx: 'nginx-light',
  opendkim: 'opendkim',
  'opendkim-testmsg': 'opendkim-tools',
  openssl: 'openssl',
  pebble: 'pebble',
  postfix: 'postfix',
  postgrey: 'postgrey',
  'posttls-finger': 'postfix',
  php: 'php-cli',
  python3: 'python3',
  procmail: 'procmail',
  rspamd: 'rspamd',
  script: 'bsdutils',
  setpriv: 'util-linux',
  swaks: 'swaks',
  'systemd-analyze': 'systemd',
  'systemd-nspawn': 'systemd-container',
  thunderbird: 'thunderbird',
  unbound: 'unbound',
  unshare: 'util-linux',
  xmllint: 'libxml2-utils',
  zsh: 'zsh',
};

/** What no scenario calls, but a measurement or a shim needs. */
const packageOfTool: Readonly<Record<string, string>> = {
  gcc: 'gcc',
  'smtp-sink': 'postfix',
  'smtp-source': 'postfix',
};

/**
 * What a program is of little use without: headers for the compiler, Perl modules by which swaks speaks TLS and CRAM; with
 * the first program in Python, all that we import there.
 */
const companions: Readonly<Record<string, readonly string[]>> = {
  '../lib/git-core/git-send-email': ['libmailtools-perl'],
  dkimverify: ['python3-nacl', 'python3-dnspython', 'python3-prometheus-client', 'python3-spf'],
  dovecot: ['dovecot-lmtpd'],
  gcc: ['libc6-dev'],
  swaks: ['libio-socket-ssl-perl', 'libnet-ssleay-perl'],
};

/** A program that cannot be had on this machine; the message says what would bring it. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

/** Everything that the scenarios call. */
export const allPrograms: readonly string[] = Object.keys(packageOf);

const policyFile = '/usr/sbin/policy-rc.d';

/** Installs what is missing. Rejects with UnavailableError if that is not possible. */
export async function ensurePrograms(programs: readonly string[]): Promise<void> {
  const missing: string[] = [];
  for (const program of programs) if (!(await isInstalled(program))) missing.push(program);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.flatMap(packagesFor))];
  if (process.getuid?.() !== 0) {
    throw new UnavailableError(
      `Missing: ${missing.join(', ')}. Run as root on Debian, or: apt-get install ${packages.join(' ')}`,
    );
  }
  await keepServicesDown();
  console.error(`installing ${packages.join(' ')}`);
  await apt('update');
  await apt('install', '--no-install-recommends', ...packages);
}

const packagesFor = (program: string): string[] => [
  packageOf[program] ?? packageOfTool[program] ?? program,
  ...(companions[program] ?? []),
];

async function isInstalled(program: string): Promise<boolean> {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  const found = folders.map((folder) => access(join(folder, program), constants.X_OK).then(() => true));
  return Promise.any(found).catch(() => false);
}

/** Debian's packages start their servers at once, unless this file forbids it. One that exists is left alone. */
async function keepServicesDown(): Promise<void> {
  const exists = await access(policyFile).then(
    () => true,
    () => false,
  );
  if (exists) return;
  await writeFile(policyFile, '#!/bin/sh\nexit 101\n');
  await chmod(policyFile, 0o755);
}

async function apt(...args: string[]): Promise<void> {
  const { code, output } = await run('apt-get', ['-qq', '-y', ...args], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    timeoutMs: 300_000,
  });
  if (code !== 0)
    throw new UnavailableError(
      `apt-get ${args.join(' ')} failed:\n${output.trimEnd().split('\n').slice(-10).join('\n')}`,
    );
}
