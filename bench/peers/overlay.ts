/**
 * A server from an unpacked package that believes to be installed: in a mount namespace of its own, the package's tree
 * lies over the machine's, its state in folders of the world. Nothing of it is seen outside. In a process namespace
 * too, so that whatever it forks stays below one root and is counted, and ends with it. unshare(1), mount(8).
 */

import { appendFile, chmod, chown, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ensurePrograms } from '../../e2e/packages.ts';
import { runOk, start } from '../../e2e/process.ts';
import { listening } from '../../e2e/wait.ts';
import { readLog, type World } from '../../e2e/world.ts';
import { unpackPackages } from './debian.ts';

export interface User {
  name: string;
  uid: number;
}

export interface Folder {
  /** Whose it is; default root. */
  uid?: number;
  /** Default 0o755. */
  mode?: number;
}

export interface OverlayOptions {
  /** Names the world's folder. */
  name: string;
  packages: readonly string[];
  /** Who the package's installation would have made; each with a group of the same name and number. */
  users: readonly User[];
  /** Text by absolute path; below /etc, /usr or /var. */
  files: Readonly<Record<string, string>>;
  /** Folders that it writes to, by absolute path. */
  folders: Readonly<Record<string, Folder>>;
  /** The server, in the foreground. */
  command: readonly string[];
  port: number;
}

/** What a package may bring. Everything else is the machine's own. */
const layered = ['usr', 'etc', 'var'];

/** Resolves to the pid of the root of its processes, when the port answers. */
export async function startOverlaid(world: World, options: OverlayOptions): Promise<number> {
  requireRoot();
  await ensurePrograms(['unshare']);
  const dir = world.path(options.name);
  const tree = join(dir, 'tree');
  await unpackPackages(options.packages, tree);
  await writeFiles(tree, options);
  const script = join(dir, 'start.sh');
  await writeFile(script, startScript(dir, options));
  const log = world.watchLog(join(dir, 'stderr'));
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child'];
  const server = start('unshare', [...namespaces, 'sh', script], log, dir);
  world.atEnd(() => server.kill());
  const ended = server.exited.then(async () => {
    throw new Error(`ended at once: ${await readLog(log)}`);
  });
  await Promise.race([listening(options.port), ended]);
  ended.catch(() => {}); // From here on, the rounds notice.
  return server.pid;
}

/** @throws Error unless this process may mount. */
export function requireRoot(): void {
  if (process.getuid?.() !== 0) throw new Error('root is needed to lay its package over the file system');
}

async function writeFiles(tree: string, { files, folders, users }: OverlayOptions): Promise<void> {
  for (const each of layered) await mkdir(join(tree, each), { recursive: true });
  for (const name of ['passwd', 'group']) await copyFile(join('/etc', name), join(tree, 'etc', name));
  for (const { name, uid } of users) {
    await appendFile(join(tree, 'etc/passwd'), `${name}:x:${uid}:${uid}::/nonexistent:/usr/sbin/nologin\n`);
    await appendFile(join(tree, 'etc/group'), `${name}:x:${uid}:\n`);
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), text);
  }
  for (const [path, { uid = 0, mode = 0o755 }] of Object.entries(folders)) {
    await mkdir(join(tree, path), { recursive: true }); // Where it is bound to.
    const state = stateFolder(dirname(tree), path);
    await mkdir(state, { recursive: true });
    await chown(state, uid, uid);
    await chmod(state, mode);
  }
}

const stateFolder = (dir: string, path: string): string => join(dir, 'state', path.replaceAll('/', '-'));

/** The shell stays, as the first process of its namespace: it inherits the orphans, and their CPU time with them. */
export function startScript(
  dir: string,
  { folders, command }: Pick<OverlayOptions, 'folders' | 'command'>,
): string {
  const layers = layered.map(
    (each) => `mount -t overlay overlay -o 'lowerdir=${dir}/tree/${each}:/${each}' /${each}`,
  );
  const binds = Object.keys(folders).map((path) => `mount --bind '${stateFolder(dir, path)}' '${path}'`);
  const words = command.map((word) => `'${word}'`).join(' ');
  return ['set -e', ...layers, ...binds, `${words} &`, 'wait', ''].join('\n');
}

/** The version of a package that apt would fetch. */
export async function versionOf(archive: string): Promise<string> {
  const { stdout } = await runOk('apt-cache', ['show', '--no-all-versions', archive]);
  return /^Version: (.*)$/m.exec(stdout.toString())?.[1] ?? 'of unknown version';
}
