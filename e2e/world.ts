/**
 * Where a scenario takes place: a directory of its own, free ports, a certificate authority, and the certainty that
 * everything that was started is stopped again. Knows no mail word.
 */

import { readFileSync, rmSync } from 'node:fs';
import { chmod, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../src/testing/free-ports.ts';
import { type Authority, createAuthority } from './certificates.ts';

export interface World {
  /** A path in the scenario's own directory; world-readable, as other programs run as other users. */
  path(...parts: string[]): string;
  /** A port of 127.0.0.1 that nobody listens on. */
  port(): Promise<number>;
  /** Issues certificates for the servers; made once per world. */
  authority(): Promise<Authority>;
  /** Called when the scenario is over, last come first. */
  atEnd(action: () => Promise<unknown>): void;
  /** A log file to show if a step fails. */
  watchLog(file: string): string;
  /** The last lines of each watched log. */
  logTails(lines: number): string[];
}

/**
 * Builds a world, lets `action` happen in it, and takes it down whatever came of it; its files when the process exits, if
 * they are to be `kept` until then.
 */
export async function withWorld<T>(
  action: (world: World) => Promise<T>,
  { kept = false }: { kept?: boolean } = {},
): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'posthorn-world-'));
  await chmod(dir, 0o755);
  await using ends = new AsyncDisposableStack();
  const remove = () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  process.once('exit', remove);
  ends.defer(() => {
    if (kept) return;
    remove();
    process.off('exit', remove);
  });
  const logs: string[] = [];
  const path = (...parts: string[]) => join(dir, ...parts);
  let authority: Promise<Authority> | undefined;
  return await action({
    path,
    port: () => freePort(['127.0.0.1']),
    authority: () => {
      authority ??= createAuthority(path('authority'));
      return authority;
    },
    atEnd: (end) => {
      ends.defer(async () => {
        await end();
      });
    },
    watchLog: (file) => {
      logs.push(file);
      return file;
    },
    logTails: (lines) => logs.map((file) => `${file}:\n${tail(file, lines)}`),
  });
}

function tail(file: string, lines: number): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '(not there)';
  }
}

/** Whole file as text, '' if it is not there yet. */
export async function readLog(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}
