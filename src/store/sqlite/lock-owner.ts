/**
 * Which process has the store's lock, for whoever is refused. Linux tells; elsewhere, and of a process in another container,
 * nobody does. Never opens the lock: see lock.ts.
 */

import { readFileSync, statSync } from 'node:fs';
import { storeFiles } from './store-files.ts';

export interface LockOwner {
  pid: number;
  /** Its command line, where this user may see it. */
  command?: string;
}

/** Characters of a command line that are shown. */
const maxCommandLength = 200;

export function findLockOwner(dataDir: string): LockOwner | undefined {
  try {
    const pid = holderOf(
      statSync(storeFiles(dataDir).lock, { bigint: true }),
      readFileSync('/proc/locks', 'utf8'),
    );
    if (pid === undefined) return undefined;
    const command = commandOf(pid);
    return { pid, ...(command !== undefined && { command }) };
  } catch {
    return undefined; // it is only told in addition
  }
}

/** `1: POSIX  ADVISORY  WRITE 1234 08:01:5678 1073741826 1073742335`: device and inode, in hexadecimal and decimal. See proc_locks(5). */
export function holderOf({ dev, ino }: { dev: bigint; ino: bigint }, locks: string): number | undefined {
  const [major, minor] = [
    ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn),
    (dev & 0xffn) | ((dev >> 12n) & ~0xffn),
  ];
  const hex = (part: bigint) => part.toString(16).padStart(2, '0');
  const file = `${hex(major)}:${hex(minor)}:${ino}`;
  for (const line of locks.split('\n')) {
    const [, pid, where] = /^\d+: \S+\s+\S+\s+WRITE\s+(\d+) (\S+) /.exec(line) ?? [];
    // A lock of another container's process has no number here.
    if (where === file && Number(pid) > 0) return Number(pid);
  }
  return undefined;
}

function commandOf(pid: number): string | undefined {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      .split('\0')
      .filter((word) => word !== '');
    return (
      words
        .join(' ')
        .replace(/\p{Cc}/gu, '?')
        .slice(0, maxCommandLength) || undefined
    );
  } catch {
    return undefined; // another user's, or it has just ended
  }
}

/** ` (pid 1234: posthorn serve)`, or nothing. */
export function describeOwner(dataDir: string): string {
  const owner = findLockOwner(dataDir);
  if (owner === undefined) return '';
  return ` (pid ${owner.pid}${owner.command === undefined ? '' : `: ${owner.command}`})`;
}
