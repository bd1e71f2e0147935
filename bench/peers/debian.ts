/**
 * Debian packages unpacked into a folder, with the libraries that this machine has not: Debian's mail servers remove
 * each other when they are installed. Needs apt and no rights.
 */

import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { run, runOk } from '../../e2e/process.ts';

const downloadMs = 180_000;

/** Fetches the packages and what libraries they lack, and unpacks all of it below `tree`. Rejects if apt cannot. */
export async function unpackPackages(packages: readonly string[], tree: string): Promise<void> {
  const archives = `${tree}.archives`;
  await mkdir(archives, { recursive: true });
  await download([...packages, ...(await missingLibraries(packages))], archives);
  for (const archive of await readdir(archives))
    await runOk('dpkg-deb', ['-x', join(archives, archive), tree]);
}

/** A machine that never asked for the lists of packages has to do that first. */
async function download(packages: readonly string[], into: string): Promise<void> {
  const fetch = () => run('apt-get', ['-qq', 'download', ...packages], { cwd: into, timeoutMs: downloadMs });
  if ((await fetch()).code === 0) return;
  await run('apt-get', ['-qq', 'update'], { timeoutMs: downloadMs });
  const { code, output } = await fetch();
  if (code !== 0) throw new Error(`apt-get download ${packages.join(' ')} failed:\n${output.trimEnd()}`);
}

const essentialOnly = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'];

async function missingLibraries(packages: readonly string[]): Promise<string[]> {
  const flags = ['--recurse', ...essentialOnly.map((kind) => `--no-${kind}`)];
  const { stdout } = await run('apt-cache', ['depends', ...flags, ...packages]);
  const installed = await installedPackages();
  return libraryNames(stdout.toString()).filter((name) => !installed.has(name));
}

/** The packages in apt-cache's answer, at the beginning of its lines, that hold a library. */
export function libraryNames(dependencies: string): string[] {
  return [...new Set(dependencies.match(/^lib(?!c6$|c-)[a-z0-9.+-]+/gm) ?? [])];
}

async function installedPackages(): Promise<ReadonlySet<string>> {
  const { stdout } = await run('dpkg-query', ['-W', '-f', `\${db:Status-Abbrev} \${Package}\\n`]);
  const names = stdout
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('ii'))
    .map((line) => line.split(/\s+/)[1] ?? '');
  return new Set(names);
}
