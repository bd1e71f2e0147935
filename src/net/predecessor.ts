/** The process that this one takes over from: the other end of successor.ts. */

import type { Socket } from 'node:net';
import { type FromSuccessor, successorVariable, type ToSuccessor } from './successor.ts';

/** What of a process is needed for it. */
export interface ChildOfOurs {
  env: Record<string, string | undefined>;
  send?:
    | ((
        word: FromSuccessor,
        handle: undefined,
        options: undefined,
        done: (error: Error | null) => void,
      ) => boolean)
    | undefined;
  on(event: 'message', listener: (word: ToSuccessor, socket: Socket | undefined) => void): unknown;
  once(event: 'disconnect', listener: () => void): unknown;
  disconnect?: (() => void) | undefined;
}

export interface Predecessor {
  /** All is well so far. Resolves when the data are free; rejects where the other process has gone before. */
  checked(): Promise<void>;
  /** Serves from now on. */
  ready(): void;
  /** Resolves when it has been said. */
  failed(text: string): Promise<void>;
  /** Told of connections that the other process has taken and not served, by their place. */
  onClient: (place: string, socket: Socket) => void;
}

/** Undefined for a process that was started in any other way. */
export function findPredecessor(own: ChildOfOurs): Predecessor | undefined {
  const isSuccessor = own.env[successorVariable] !== undefined;
  delete own.env[successorVariable];
  if (!isSuccessor || !own.send) return undefined;
  const say = (word: FromSuccessor) =>
    new Promise<void>((resolve) => {
      own.send?.(word, undefined, undefined, () => resolve());
    });
  const go = Promise.withResolvers<void>();
  go.promise.catch(() => undefined); // whoever waits for it hears of it
  const predecessor: Predecessor = {
    async checked() {
      await say({ kind: 'checked' });
      await go.promise;
    },
    ready: () => void say({ kind: 'ready' }),
    failed: (text) => say({ kind: 'failed', text }),
    onClient: (_place, socket) => void socket.destroy(),
  };
  own.on('message', (word, socket) => {
    if (word.kind === 'go') go.resolve();
    else if (word.kind === 'done') own.disconnect?.();
    else if (socket) predecessor.onClient(word.place, socket);
  });
  own.once('disconnect', () => go.reject(new Error('the server that was to hand over has gone')));
  return predecessor;
}
