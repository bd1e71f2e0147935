/**
 * Another process of ours that is to take over, as its predecessor sees it (predecessor.ts is the other end). It inherits the
 * listening sockets, so that they are never closed, and is told when the data are free. Words go over Node's channel between
 * processes, and so do connections that were taken while nobody served them.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { countVariable } from './passed-sockets.ts';

/** To a successor. With `client` goes a connection. */
export type ToSuccessor = { kind: 'go' } | { kind: 'client'; place: string } | { kind: 'done' };

/** From it. `failed` is its last word. */
export type FromSuccessor = { kind: 'checked' } | { kind: 'ready' } | { kind: 'failed'; text: string };

export interface SuccessorStart {
  /** The program, and its arguments. */
  command: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  /** Listening sockets, by their numbers here. */
  sockets: readonly number[];
}

/** Set for a successor. */
export const successorVariable = 'POSTHORN_TAKES_OVER';

/** A successor that says nothing for so long, reading its configuration, will not come to anything. */
const checkMs = 60_000;

export class Successor {
  readonly #child: ChildProcess;
  /** Why it is of no use, where it has said so. */
  #failure: string | undefined;
  #onWord: (() => void) | undefined;
  readonly #heard = new Set<FromSuccessor['kind']>();
  #isOver = false;

  constructor({ command: [program = '', ...words], env, sockets }: SuccessorStart) {
    this.#child = spawn(program, words, {
      env: { ...env, [countVariable]: String(sockets.length), [successorVariable]: '1' },
      stdio: ['ignore', 'inherit', 'inherit', ...sockets, 'ipc'],
    });
    this.#child.on('message', (word: FromSuccessor) => {
      this.#heard.add(word.kind);
      if (word.kind === 'failed') this.#failure = word.text;
      this.#onWord?.();
    });
    const over = (why: string) => {
      this.#isOver = true;
      this.#failure ??= why;
      this.#onWord?.();
    };
    this.#child.once('error', (error) => over(`it could not be started: ${error.message}`));
    this.#child.once('exit', (code, by) =>
      over(`it ended with ${by ?? `exit code ${code}`}; its log says more`),
    );
  }

  /** Of its process; 0 where it could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves when its configuration is good, and it only waits for the data. Rejects with its words. */
  checked(): Promise<void> {
    return this.#word('checked', checkMs);
  }

  /** The data are free. Resolves when it serves; rejects with its words, and it is gone then. */
  takeOver(patienceMs: number): Promise<void> {
    this.#say({ kind: 'go' });
    return this.#word('ready', patienceMs);
  }

  /** Resolves when it has the connection, or cannot have it any more. */
  give(place: string, socket: Socket): Promise<void> {
    return new Promise((resolve) => {
      this.#child.send({ kind: 'client', place } satisfies ToSuccessor, socket, () => resolve());
    });
  }

  /** It stands on its own feet from now on. */
  leave(): void {
    this.#say({ kind: 'done' });
    this.#child.unref();
  }

  stop(): void {
    this.#child.kill('SIGTERM');
  }

  async #word(kind: FromSuccessor['kind'], patienceMs: number): Promise<void> {
    const late = setTimeout(() => {
      this.#failure ??= `it said nothing for ${patienceMs / 1000} seconds`;
      this.#onWord?.();
    }, patienceMs);
    try {
      while (!this.#heard.has(kind) && this.#failure === undefined)
        await new Promise<void>((resolve) => {
          this.#onWord = resolve;
        });
      if (this.#failure !== undefined) await this.#end();
      if (this.#failure !== undefined) throw new Error(this.#failure);
    } finally {
      clearTimeout(late);
    }
  }

  /** What has failed lets go of the data only when its process is gone. */
  async #end(): Promise<void> {
    if (this.#isOver) return;
    const gone = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    this.#child.kill('SIGKILL');
    await gone;
  }

  #say(word: ToSuccessor): void {
    if (this.#child.connected) this.#child.send(word);
  }
}
