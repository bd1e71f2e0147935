/** What setting up asks of this machine, and does to it: the real one here, another in tests. */

import { access, constants } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import type { Resolver } from '../dns/resolver.ts';
import { machineAddresses } from '../net/addresses.ts';
import { type PortState, probeListening, probeReaching } from '../net/probe-port.ts';
import { runProgram } from '../net/program.ts';
import type { Clock } from '../util/clock.ts';

export interface Machine {
  clock: Clock;
  resolver: Resolver;
  /** Whom it asks, as `address` or `address:port`. */
  nameServers: readonly string[];
  /** Of the process; 0 is root. */
  userId: number;
  /** As the operating system has it. */
  hostname: string;
  /** Public ones of its interfaces. */
  addresses(): readonly string[];
  /** Private ones. */
  insideAddresses(): readonly string[];
  portState(address: string, port: number): Promise<PortState>;
  /** Undefined where it answers, else why not. */
  reach(endpoint: { address: string; port: number }): Promise<string | undefined>;
  /** Undefined where there is no such program. */
  run(program: string, ...words: string[]): Promise<ProgramResult | undefined>;
  /** systemd is what started this machine. */
  hasSystemd: boolean;
  /** The path of this program, for units. */
  program: string;
  /** That of Node, where the program has none of its own. */
  node: string | undefined;
}

export interface ProgramResult {
  /** Absent where it did not come to its end by itself. */
  code?: number;
  output: string;
}

export const ownProgram = join(import.meta.dirname, '../../bin/posthorn');

/** What a service runs by: undefined for a Node that lies with the program. */
export function foreignNode(node: string, program: string): string | undefined {
  return node.startsWith(`${dirname(dirname(program))}/`) ? undefined : node;
}

const reachTimeoutMs = 5000;
const runTimeoutMs = 30_000;
const programFolders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];

export async function thisMachine({
  clock,
  resolver,
  nameServers,
}: Pick<Machine, 'clock' | 'resolver' | 'nameServers'>): Promise<Machine> {
  return {
    clock,
    resolver,
    nameServers,
    userId: process.getuid?.() ?? -1,
    hostname: hostname().toLowerCase(),
    addresses: () => machineAddresses('public'),
    insideAddresses: () => machineAddresses('private'),
    portState: probeListening,
    reach: (endpoint) => probeReaching(endpoint, { timeoutMs: reachTimeoutMs, clock }),
    run: (program, ...words) => run([program, ...words], clock),
    // sd_booted(3).
    hasSystemd: await isThere('/run/systemd/system'),
    program: ownProgram,
    node: foreignNode(process.execPath, ownProgram),
  };
}

async function run([program = '', ...words]: string[], clock: Clock): Promise<ProgramResult | undefined> {
  const path = await findProgram(program);
  if (path === undefined) return undefined;
  const end = await runProgram({ command: [path, ...words], input: [], timeoutMs: runTimeoutMs, clock });
  if (end.kind === 'exited') return { code: end.code, output: end.output };
  return { output: 'output' in end ? end.output : end.error.message };
}

async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of programFolders) {
    const path = join(folder, name);
    if (await isThere(path, constants.X_OK)) return path;
  }
  return undefined;
}

export const isThere = (path: string, mode: number = constants.F_OK): Promise<boolean> =>
  access(path, mode).then(
    () => true,
    () => false,
  );
