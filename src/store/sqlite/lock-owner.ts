/**
 * Which process has the store's lock, for whoever is refused. Linux tells; elsewhere, and of a process in another container,
 * nobody does. Never opens the lock: see lock.ts.
 */

import { readdirSync, readFileSync, statSync } from 'node:fs';
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
    const file = statSync(storeFiles(dataDir).lock, { bigint: true });
    const locks = readFileSync('/proc/locks', 'utf8');
    const pid = holderOf(file, locks) ?? holdersOfInode(file, locks).find((each) => hasOpen(each, file));
    if (pid === undefined) return undefined;
    const command = commandOf(pid);
    return { pid, ...(command !== undefined && { command }) };
  } catch {
    return undefined; // it is only told in addition
  }
}

interface FileNumbers {
  dev: bigint;
  ino: bigint;
}

/** Device and inode, in hexadecimal and decimal, as in `1: POSIX  ADVISORY  WRITE 1234 08:01:5678 1073741826 1073742335`. */
export function holderOf(file: FileNumbers, locks: string): number | undefined {
  const { dev, ino } = file;
  const [major, minor] = [
    ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn),
    (dev & 0xffn) | ((dev >> 12n) & ~0xffn),
  ];
  const hex = (part: bigint) => part.toString(16).padStart(2, '0');
  return lines(locks).find(({ where }) => where === `${hex(major)}:${hex(minor)}:${ino}`)?.pid;
}

/** overlayfs (containers) and btrfs show another device to stat(2) than to proc_locks(5): the inode alone names candidates. */
export const holdersOfInode = ({ ino }: Pick<FileNumbers, 'ino'>, locks: string): number[] =>
  lines(locks)
    .filter(({ where }) => where.endsWith(`:${ino}`))
    .map(({ pid }) => pid);

function lines(locks: string): { pid: number; where: string }[] {
  return locks.split('\n').flatMap((line) => {
    const [, pid, where = ''] = /^\d+: \S+\s+\S+\s+WRITE\s+(\d+) (\S+) /.exec(line) ?? [];
    // A lock of another container's process has no number here.
    return Number(pid) > 0 ? [{ pid: Number(pid), where }] : [];
  });
}

/** Of what this user may see. Looks at the files that the process has open without opening them. */
export function hasOpen(pid: number, { dev, ino }: FileNumbers): boolean {
  const folder = `/proc/${pid}/fd`;
  return namesIn(folder).some((name) => {
    const open = statSync(`${folder}/${name}`, { bigint: true, throwIfNoEntry: false });
    return open?.dev === dev && open.ino === ino;
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // another user's, or it has just ended
  }
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
