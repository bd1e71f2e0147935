/** Why nothing can listen somewhere, in words, with what to do. */

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
  const where = port === undefined ? address : `port ${port} of ${address}`;
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

const isListenError = (error: unknown): error is ListenError =>
  error instanceof Error &&
  'code' in error &&
  'syscall' in error &&
  (error.syscall === 'listen' || error.syscall === 'bind');
