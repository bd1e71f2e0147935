import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findClosed } from './closed-way.ts';
import type { Owner } from './owner.ts';

// Not below /tmp, which services do not see; what is above belongs to the machine, and is not looked at here.
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(homedir(), '.posthorn-way-'));
  mkdirSync(join(directory, 'bin'), { mode: 0o755 });
});
afterEach(() => rmSync(directory, { recursive: true }));

const stranger = { uid: 54321, gid: 54321 };
const myself = () => {
  const { uid, gid } = statSync(directory);
  return { uid, gid };
};

const seek = (program: string, owner: Owner, isService = false) => findClosed(program, { owner, isService });

it('findClosed() finds the directory that keeps others out, and none for its owner', async () => {
  const program = join(directory, 'bin/posthorn');
  chmodSync(directory, 0o700);
  // The home itself may be closed already.
  expect(directory.startsWith((await seek(program, stranger)) ?? '?')).toBe(true);
  expect(await seek(program, myself())).toBeUndefined();
  chmodSync(directory, 0o600);
  expect(await seek(program, myself())).toBe(directory);
});

it('findClosed() lets everybody come to what is installed, and services see nothing in /tmp', async () => {
  expect(await seek('/usr/bin/posthorn', stranger, true)).toBeUndefined();
  expect(await seek('/tmp/posthorn', stranger, true)).toBe('/tmp');
  expect(await seek('/tmp/posthorn', stranger)).toBeUndefined();
});
