/**
 * The local socket by which commands reach a running server: listening, connecting, and bytes in both directions. Only
 * the user that owns the data directory can open it. Knows nothing of what is said over it.
 */

import { chmod, chown, unlink } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { relative } from 'node:path';

/** File name, within the data directory, of the one that only the directory's owner can open. */
export const controlSocketName = 'control.sock';

export interface ControlConnection {
  /** What the other side sends, until it ends; throws when the connection breaks. To be read once. */
  readonly chunks: AsyncIterable<Buffer>;
  /** Resolves when the system has taken the bytes; rejects when the connection is broken. */
  write(bytes: Buffer): Promise<void>;
  /** Ends the connection at once. */
  close(): void;
}

export interface ControlListener {
  /** Stops listening and removes the socket file; open connections stay. */
  close(): Promise<void>;
}

/**
 * Listens at `path`, a file of mode 0600; with `group`, one that this group may open, too. One that a dead process left behind is replaced; rejects with EADDRINUSE when
 * another process listens there.
 */
export async function listenControl(
  path: string,
  serve: (connection: ControlConnection) => void,
  group?: number,
): Promise<ControlListener> {
  const living = await connectControl(path);
  if (living !== undefined) {
    living.close();
    throw Object.assign(new Error(`another server listens at ${path}`), { code: 'EADDRINUSE' });
  }
  await unlink(path).catch(ignoreAbsence);
  const server = createServer((socket) => serve(wrap(socket)));
  await listenPrivately(server, path);
  // Its group first: the mode that it has until then keeps everybody else out.
  if (group !== undefined) {
    await chown(path, process.getuid?.() ?? 0, group);
    await chmod(path, 0o660);
  }
  return { close: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** No file; one that a dead process left behind; whoever listened has gone before it took us, as in a hand-over. */
const nobodyListens: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET']);

/** Undefined where nobody listens. */
export function connectControl(path: string): Promise<ControlConnection | undefined> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(shorter(path));
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(wrap(socket));
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (nobodyListens.has(error.code)) resolve(undefined);
      else reject(error);
    });
  });
}

/** The mask makes the file private from its first moment; listen() binds before it returns. */
function listenPrivately(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const mask = process.umask(0o177);
    try {
      server.listen(shorter(path), () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(mask);
    }
  });
}

/** unix(7): `sun_path`, octets. */
const longestPath = 107;

/** One that is too long may be shorter from here than from the root. Others stay as errors are to name them. */
function shorter(path: string): string {
  if (Buffer.byteLength(path) <= longestPath) return path;
  const fromHere = relative(process.cwd(), path);
  return fromHere !== '' && fromHere.length < path.length ? fromHere : path;
}

function wrap(socket: Socket): ControlConnection {
  socket.on('error', () => socket.destroy()); // told to whoever reads or writes
  return {
    chunks: socket,
    write: (bytes) =>
      new Promise((resolve, reject) => {
        socket.write(bytes, (error) => (error ? reject(error) : resolve()));
      }),
    close: () => socket.destroy(),
  };
}

export function ignoreAbsence(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
