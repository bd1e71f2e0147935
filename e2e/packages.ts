/** Brings the programs that the scenarios talk to, by apt; needs root, and Debian. */

import { access, chmod, constants, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { run } from './process.ts';

/** Debian's package by the program that we call. */
const packageOf: Readonly<Record<string, string>> = {
  curl: 'curl',
  fetchmail: 'fetchmail',
  mpop: 'mpop',
  msmtp: 'msmtp',
  mutt: 'mutt',
  nc: 'netcat-openbsd',
  opendkim: 'opendkim',
  openssl: 'openssl',
  postfix: 'postfix',
  script: 'bsdutils',
  swaks: 'swaks',
  unshare: 'util-linux',
};

/** Perl modules without which swaks can neither speak TLS nor CRAM. */
const companions: Readonly<Record<string, readonly string[]>> = {
  swaks: ['libio-socket-ssl-perl', 'libnet-ssleay-perl'],
};

export const allPrograms: readonly string[] = Object.keys(packageOf);

const policyFile = '/usr/sbin/policy-rc.d';

/** Installs what is missing. Rejects with a message for people if that is not possible. */
export async function ensurePrograms(programs: readonly string[]): Promise<void> {
  const missing: string[] = [];
  for (const program of programs) if (!(await isInstalled(program))) missing.push(program);
  if (missing.length === 0) return;
  const packages = missing.flatMap((program) => [
    packageOf[program] ?? program,
    ...(companions[program] ?? []),
  ]);
  if (process.getuid?.() !== 0) {
    throw new Error(
      `Missing: ${missing.join(', ')}. Run as root on Debian, or: apt-get install ${packages.join(' ')}`,
    );
  }
  await keepServicesDown();
  console.log(`installing ${packages.join(' ')}`);
  await apt('update');
  await apt('install', '--no-install-recommends', ...packages);
}

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
    throw new Error(
      `apt-get ${args.join(' ')} failed:\n${output.trimEnd().split('\n').slice(-10).join('\n')}`,
    );
}
