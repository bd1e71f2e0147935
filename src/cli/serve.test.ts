/** The server as a process, told by signals what to do. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { freePort } from '../testing/free-ports.ts';
import { LineConnection } from '../testing/line-connection.ts';

const address = '127.0.0.1';
const program = join(import.meta.dirname, '..', 'main.ts');
const timeoutMs = 20_000;

let directory: string;
let port: number;
let server: ChildProcess;
/** What was written to standard output and standard error. */
let said: string;
/** Of all processes that were started. */
let pids: Set<number>;

const configure = (recipients: number | string) =>
  writeFileSync(
    join(directory, 'posthorn.toml'),
    `hostname = "mx.example.com"\ndataDir = "data"\n[limits]\nrecipients = ${recipients}\n` +
      `[[listener]]\nprotocol = "smtp"\naddress = "${address}"\nport = ${port}\n[[domain]]\nname = "example.com"\n`,
  );

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'posthorn-serve-'));
  port = await freePort([address]);
  configure(5);
  said = '';
  const words = ['--no-warnings', program, 'serve', '--config', join(directory, 'posthorn.toml')];
  server = spawn(process.execPath, words, { cwd: directory, env: { PATH: process.env.PATH } });
  for (const stream of [server.stdout, server.stderr]) stream?.on('data', (text) => (said += text));
  pids = new Set([server.pid ?? 0]);
  await saying(/^posthorn ready$/m);
});

afterEach(async () => {
  for (const pid of pids) if (isAlive(pid)) process.kill(pid, 'SIGTERM');
  await eventually(async () => [...pids].every((pid) => !isAlive(pid)) || undefined, {
    timeoutMs,
    explain: () => said,
  });
  rmSync(directory, { recursive: true });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false; // there is no such process
  }
}

const saying = (words: RegExp): Promise<RegExpExecArray> =>
  eventually(async () => words.exec(said) ?? undefined, { timeoutMs, explain: () => said });

/** What a client is told of the number of recipients. */
async function recipients(): Promise<number> {
  await using client = await LineConnection.open({ address, port });
  await client.line();
  client.write('EHLO client.example\r\n');
  for (;;) {
    const line = await client.line();
    const [, most] = /RCPTMAX=(\d+)/.exec(line) ?? [];
    if (most !== undefined) return Number(most);
    if (!line.startsWith('250-')) throw new Error(line);
  }
}

test('posthorn serve reads its configuration anew at SIGHUP, all of it or nothing', async () => {
  expect(await recipients()).toBe(5);
  configure(7);
  server.kill('SIGHUP');
  await saying(/the configuration was read anew, and is in force/);
  expect(await recipients()).toBe(7);
  configure('"many"');
  server.kill('SIGHUP');
  await saying(/cannot be used: the one before stays in force/);
  expect(await recipients()).toBe(7);
}, 60_000);

test('posthorn serve hands over to another process at SIGUSR2', async () => {
  configure(9);
  server.kill('SIGUSR2');
  const [, pid] = await saying(/"to":(\d+),"msg":"handing over/);
  pids.add(Number(pid));
  const [code] = await once(server, 'exit');
  expect(code).toBe(0);
  expect(isAlive(Number(pid))).toBe(true);
  expect(await recipients()).toBe(9);
}, 60_000);
