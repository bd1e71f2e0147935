/** Why nothing can listen somewhere, in words, with what to do. */

import { dirname } from 'node:path';

export interface ListenTrouble {
  kind: 'taken' | 'forbidden' | 'absent' | 'other';
  /** Completes "cannot listen: …". */
  what: string;
  remedy: string;
}

/** The fields that Node puts on errors of the operating system. */
interface ListenError extends Error {
  code: string;
  syscall: string;
  address?: string;
  port?: number;
}

/** Undefined for an error of something else. */
export function listenTrouble(error: unknown): ListenTrouble | undefined {
  if (!isListenError(error)) return undefined;
  const { code, address = '', port, message } = error;
  if (port === undefined || port < 0) return socketTrouble(error, address);
  const where = `port ${port} of ${address}`;
  if (code === 'EADDRINUSE') {
    const remedy = 'Stop that one (to find it: ss -ltnp), or choose another port.';
    return { kind: 'taken', what: `${where} is taken by another program`, remedy };
  }
  if (code === 'EACCES') {
    const what = `this user may not listen on ${where}: ports below 1024 are for root`;
    const remedy = `Choose a higher port, or give Node the right: setcap cap_net_bind_service=+ep ${process.execPath}`;
    return { kind: 'forbidden', what, remedy };
  }
  if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT') {
    const remedy = 'Set the listener\'s address to one of its own, or to "0.0.0.0".';
    return { kind: 'absent', what: `this machine has no address ${address}`, remedy };
  }
  return { kind: 'other', what: `cannot listen on ${where}: ${message}`, remedy: 'Choose another place.' };
}

/** Of the path of a Unix socket. EACCES is also what libuv makes of a directory that is not there. */
function socketTrouble({ code, message }: ListenError, path: string): ListenTrouble {
  if (code === 'EADDRINUSE')
    return {
      kind: 'taken',
      what: `${path} is taken by another program`,
      remedy: 'Stop that one, or choose another path.',
    };
  if (code === 'EACCES')
    return {
      kind: 'forbidden',
      what: `the socket ${path} cannot be made: ${dirname(path)} is not there, or this user may not write there`,
      remedy: 'Make that directory, and give it to this user, or choose another path.',
    };
  return { kind: 'other', what: `cannot listen on ${path}: ${message}`, remedy: 'Choose another place.' };
}

const isListenError = (error: unknown): error is ListenError =>
  error instanceof Error &&
  'code' in error &&
  'syscall' in error &&
  (error.syscall === 'listen' || error.syscall === 'bind');
