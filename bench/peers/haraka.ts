/** Haraka as a relay, from npm: one process, its outbound queue on disk. */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runOk, start } from '../../e2e/process.ts';
import { listening } from '../../e2e/wait.ts';
import { readLog, type World } from '../../e2e/world.ts';
import type { Peer, Ports } from './relay.ts';

/** The registry as it was on a day: the same Haraka and the same libraries below it, wherever this runs. */
const before = '2026-07-01';
const packages = ['Haraka', 'haraka-plugin-relay'];
const installMs = 300_000;

export const haraka: Peer = {
  name: 'haraka',
  comesFrom: `npm install ${packages.join(' ')}`,
  async start(world: World, sinkPort: number) {
    const dir = world.path('haraka');
    const port = await world.port();
    await install(dir);
    const instance = join(dir, 'instance');
    const product = join(dir, 'node_modules', 'Haraka');
    const program = join(product, 'bin', 'haraka');
    await runOk(process.execPath, [program, '-i', instance]);
    await writeAll(join(instance, 'config'), harakaConfiguration({ port, sinkPort }));
    const log = world.watchLog(join(dir, 'log'));
    const server = start(process.execPath, [program, '-c', instance], log, instance);
    world.atEnd(() => server.kill());
    const ended = server.exited.then(async (code) => {
      throw new Error(`ended with ${code}: ${server.stdout().slice(-500)}${await readLog(log)}`);
    });
    await Promise.race([listening(port), ended]);
    ended.catch(() => {}); // From here on, the rounds notice.
    const description = `Haraka ${await versionOf(product)}, Node ${process.version}, one process`;
    return { name: 'haraka', port, pid: server.pid, description };
  },
};

async function install(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'package.json'), '{ "private": true }\n');
  const quietly = ['--no-audit', '--no-fund', '--loglevel=error'];
  const flags = [...quietly, '--omit=optional', '--ignore-scripts', `--before=${before}`];
  await runOk('npm', ['install', '--prefix', dir, ...flags, ...packages], { cwd: dir, timeoutMs: installMs });
}

async function versionOf(product: string): Promise<string> {
  const text = await readFile(join(product, 'package.json'), 'utf8');
  return /"version": "(.*)"/.exec(text)?.[1] ?? 'of unknown version';
}

async function writeAll(dir: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
}

/** Files of its folder `config`: mail from this machine is relayed, and all of it goes to the sink. */
export function harakaConfiguration({ port, sinkPort }: Ports): Record<string, string> {
  return {
    'smtp.ini': `listen=127.0.0.1:${port}\nnodes=0\n`,
    me: 'haraka.example.net\n',
    'log.ini': '[main]\nlevel=error\n',
    plugins: 'relay\n',
    'relay.ini': '[relay]\nacl=true\nforce_routing=true\n',
    relay_acl_allow: '127.0.0.0/8\n',
    'relay_dest_domains.ini': `[domains]\nany={"action":"continue","nexthop":"127.0.0.1:${sinkPort}"}\n`,
    'outbound.ini': 'enable_tls=false\nconcurrency_max=100\n',
  };
}
