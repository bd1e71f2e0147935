/** What a person is told when a command fails, and the exit code that goes with it. The texts say what to do. */

import { AdminError, type AdminErrorCode } from '../admin/admin-error.ts';
import { ConfigError } from '../config/problem.ts';
import { type ListenTrouble, listenTrouble } from '../net/listen-trouble.ts';
import {
  isDiskFull,
  type OpenFailure,
  StoreBrokenError,
  StoreFullError,
  StoreOpenError,
} from '../store/errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

/** A command cannot do what it was asked; the message is for people. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

export interface Explanation {
  text: string;
  exitCode: ExitCode;
}

const adminCodes: Record<AdminErrorCode, ExitCode> = {
  'bad-request': exitCodes.usage,
  'not-our-domain': exitCodes.noUser,
  'no-route': exitCodes.tryLater,
  'no-such-account': exitCodes.noUser,
  config: exitCodes.config,
  'no-such-alias': exitCodes.noUser,
  exists: exitCodes.cantCreate,
  refused: exitCodes.refused,
  'too-many': exitCodes.tryLater,
  'too-late': exitCodes.tryLater,
  forbidden: exitCodes.noPermission,
  'no-server': exitCodes.unavailable,
  'in-use': exitCodes.tryLater,
  connection: exitCodes.tryLater,
  disk: exitCodes.inputOutput,
  internal: exitCodes.software,
};

const openCodes: Record<OpenFailure, ExitCode> = {
  'in-use': exitCodes.tryLater,
  unfinished: exitCodes.badData,
  'not-writable': exitCodes.cantCreate,
  full: exitCodes.inputOutput,
  version: exitCodes.badData,
  damaged: exitCodes.inputOutput,
};

const listenCodes: Record<ListenTrouble['kind'], ExitCode> = {
  taken: exitCodes.unavailable,
  forbidden: exitCodes.noPermission,
  absent: exitCodes.config,
  other: exitCodes.unavailable,
};

const makeRoom = 'Make room there, then try again.';

export function explain(error: unknown): Explanation {
  if (error instanceof CommandError) return { text: error.message, exitCode: error.exitCode };
  if (error instanceof AdminError) return { text: error.message, exitCode: adminCodes[error.code] };
  if (error instanceof StoreOpenError) return { text: error.message, exitCode: openCodes[error.kind] };
  if (error instanceof StoreFullError)
    return { text: `the disk of the data directory is full. ${makeRoom}`, exitCode: exitCodes.inputOutput };
  if (error instanceof StoreBrokenError) {
    const text = `stopped, because the data can no longer be written safely: ${error.message}. Look at the disk, then start again.`;
    return { text, exitCode: exitCodes.inputOutput };
  }
  if (error instanceof ConfigError)
    return {
      text: `cannot use the configuration:\n${error.message}`,
      exitCode: error.isAbsent ? exitCodes.noInput : exitCodes.config,
    };
  return explainSystemError(error) ?? explainBug(error);
}

/** The fields that Node puts on errors of the operating system. */
interface SystemError extends Error {
  code: string;
  syscall: string;
  address?: string;
  path?: string;
}

const isSystemError = (error: unknown): error is SystemError =>
  error instanceof Error && 'code' in error && 'syscall' in error;

function explainSystemError(error: unknown): Explanation | undefined {
  if (!isSystemError(error)) return undefined;
  const trouble = listenTrouble(error);
  if (trouble) return { text: `${trouble.what}. ${trouble.remedy}`, exitCode: listenCodes[trouble.kind] };
  const about = error.path ?? error.address ?? '';
  if (error.code === 'ENOENT')
    return { text: `there is no ${about}. Check the path.`, exitCode: exitCodes.noInput };
  if (error.code === 'EACCES' || error.code === 'EPERM')
    return { text: forbiddenText(about, error.syscall), exitCode: exitCodes.noPermission };
  if (isDiskFull(error))
    return { text: `the disk is full (${error.message}). ${makeRoom}`, exitCode: exitCodes.inputOutput };
  if (error.code === 'EROFS')
    return {
      text: `${about} cannot be written: its file system is read-only. Name another place, or mount it for writing.`,
      exitCode: exitCodes.inputOutput,
    };
  if (error.code === 'EEXIST') return { text: `${about} exists already.`, exitCode: exitCodes.cantCreate };
  if (error.code === 'EISDIR')
    return {
      text: `${about || 'that path'} is a directory. Name a file in it.`,
      exitCode: exitCodes.noInput,
    };
  if (error.code === 'ENOTDIR')
    return {
      text: `${about} goes through something that is no directory. Check the path.`,
      exitCode: error.syscall === 'mkdir' ? exitCodes.cantCreate : exitCodes.noInput,
    };
  return { text: error.message, exitCode: exitCodes.inputOutput };
}

function forbiddenText(about: string, syscall: string): string {
  const what = `this user may not use ${about} (${syscall})`;
  if (syscall === 'connect')
    return `${what}. Run posthorn as root (sudo), or as the user that the server runs as; whom else it lets in is [control]'s.`;
  return `${what}. Run posthorn as the user that owns it, or as root. If it is the server that may not: give it to its user (chown).`;
}

function explainBug(error: unknown): Explanation {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { text: `this is a bug, please report it:\n${detail}`, exitCode: exitCodes.software };
}
