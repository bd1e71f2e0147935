/** Which program listens on a port of this machine, as Linux tells it. proc(5): /proc/net/tcp, /proc/PID/fd. */

import { readdir, readFile, readlink } from 'node:fs/promises';

/** `nginx (pid 123)`; undefined where it cannot be seen: another user's, another system. */
export async function findPortHolder(port: number): Promise<string | undefined> {
  const inodes = (await Promise.all(['tcp', 'tcp6'].map((table) => listeningInodes(table, port)))).flat();
  if (inodes.length === 0) return undefined;
  const wanted = new Set(inodes.map((inode) => `socket:[${inode}]`));
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name)))
    if (await hasOpen(pid, wanted)) return `${await nameOf(pid)} (pid ${pid})`;
  return undefined;
}

/** Columns: number, local address:port in hexadecimal, remote, state (0A: listening) … inode. */
async function listeningInodes(table: string, port: number): Promise<string[]> {
  const text = await readFile(`/proc/net/${table}`, 'utf8').catch(() => '');
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return text.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    return local.endsWith(suffix) && state === '0A' && inode !== undefined ? [inode] : [];
  });
}

/** Processes come and go while they are looked at, and those of others cannot be seen. */
async function hasOpen(pid: string, wanted: ReadonlySet<string>): Promise<boolean> {
  const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const targets = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')));
  return targets.some((target) => wanted.has(target));
}

const nameOf = async (pid: string): Promise<string> =>
  (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'a program')).trim();
