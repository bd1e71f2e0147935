/** The server under test as a process: its configuration, its runs one after the other, and its control socket. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'smol-toml';
import { type Running, runOk, start } from '../../../e2e/process.ts';
import { eventually } from '../../../e2e/wait.ts';
import type { World } from '../../../e2e/world.ts';
import type { Admin } from '../../../src/admin/admin.ts';
import { remoteAdmin } from '../../../src/admin/control-client.ts';
import { retryQueue } from '../../../src/testing/retry-queue.ts';
import { localDomain } from './letters.ts';

export interface ServerOptions {
  /** The folder for its configuration and its log. */
  directory: string;
  /** Default: `data` in that folder. */
  dataDir?: string;
  /** `bin/posthorn` of the tree under test. */
  program: string;
  /** For all its processes: that they are recorded, for instance. */
  environment?: Record<string, string>;
  /** Everything that is not local goes to this port of 127.0.0.1. */
  remotePort: number;
}

export interface Server {
  readonly configFile: string;
  readonly dataDir: string;
  readonly ports: { smtp: number; pop3: number };
  /** `posthorn ARGS` with this server's configuration; rejects unless it exits with 0. */
  command(args: readonly string[], input?: string): Promise<void>;
  /** Resolves when it says that it is ready. */
  start(): Promise<void>;
  /** SIGTERM; rejects unless it exits with 0. */
  stop(): Promise<void>;
  kill(): Promise<void>;
  /** The present run is over, whoever ended it. */
  hasEnded(): boolean;
  /** Resolves when there are no jobs any more; those that wait are asked for. */
  emptied(): Promise<void>;
  /** Through its control socket. */
  admin<T>(action: (admin: Admin) => Promise<T>): Promise<T>;
}

export async function newServer(world: World, options: ServerOptions): Promise<Server> {
  const { directory, program, environment = {}, dataDir = join(directory, 'data') } = options;
  await mkdir(directory, { recursive: true });
  const configFile = join(directory, 'posthorn.toml');
  const ports = { smtp: await world.port(), pop3: await world.port() };
  await writeFile(configFile, configuration(dataDir, ports, options.remotePort));
  const log = world.watchLog(join(directory, 'log'));
  let running: Running | undefined;
  let isOver = false;
  const admin: Server['admin'] = async (action) => {
    const opened = await remoteAdmin(join(dataDir, 'control.sock'));
    if (opened === undefined) throw new Error('The server has no control socket');
    return action(opened).finally(() => opened.close());
  };
  world.atEnd(async () => running?.kill());
  return {
    configFile,
    dataDir,
    ports,
    async command(args, input = '') {
      await runOk(program, [...args, '--config', configFile], { input, env: environment });
    },
    async start() {
      const assignments = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
      running = start('env', [...assignments, program, 'serve', '--config', configFile], log, directory);
      isOver = false;
      void running.exited.then(() => {
        isOver = true;
      });
      await running.line(/^posthorn ready$/);
    },
    async stop() {
      const code = await running?.stop(30_000);
      if (code !== 0) throw new Error(`The server ended with ${code}`);
    },
    async kill() {
      await running?.kill();
    },
    hasEnded: () => isOver,
    emptied: () => admin(emptyQueue),
    admin,
  };
}

/** What was deferred is not due yet, and is asked for by hand. */
async function emptyQueue(admin: Admin): Promise<void> {
  await eventually('an empty queue', async () => {
    await retryQueue(admin);
    return (await admin.listQueue({ limit: 1 })).jobs.length === 0 || undefined;
  });
}

/** The text of posthorn.toml. No TLS anywhere: the recorder is to read what is said. */
export function configuration(dataDir: string, ports: Server['ports'], remotePort: number): string {
  const address = '127.0.0.1';
  return stringify({
    hostname: `mx.${localDomain}`,
    dataDir,
    resolver: ['127.0.0.1:9'],
    listener: [
      { protocol: 'smtp', port: ports.smtp, address },
      { protocol: 'pop3', port: ports.pop3, address, allowPlaintextAuth: true },
    ],
    domain: [{ name: localDomain }],
    relay: { trustedNetworks: ['127.0.0.0/8'] },
    delivery: { relayHost: `${address}:${remotePort}`, allowPrivateAddresses: true },
  });
}
