/**
 * A machine on which there is nothing of us yet: a network of its own, with an /etc of its own, beside one that stands for
 * everything else; commands in it, and the server as its unit starts it.
 */

import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Finished, run, start } from '../process.ts';
import type { World } from '../world.ts';
import { nameServerAddresses } from './internet-dns.ts';
import { connectNetworks, type Network, startNetwork } from './network.ts';

export const domain = 'example.com';
export const alice = 'alice@example.com';
/** Addresses of the machine that becomes a server. */
export const ours = { four: '203.0.113.7', six: '2001:db8:7::7' };
/** And those of everybody else. */
export const theirs = { four: '203.0.113.9', six: '2001:db8:9::9' };

export const configFile = '/etc/posthorn/posthorn.toml';

const program = join(import.meta.dirname, '../../bin/posthorn');

/** Loopback's proxies and the rest of /etc stay as they are; what is written goes into memory, and is gone at the end. */
const ownEtc = (layers: string): string[] => [
  `mount -t tmpfs tmpfs ${layers}`,
  ...['etc', 'var/lib'].flatMap((path) => {
    const [upper, work] = ['upper', 'work'].map((kind) => `${layers}/${path.replace('/', '-')}-${kind}`);
    return [
      `mkdir ${upper} ${work}`,
      `mount -t overlay overlay -o lowerdir=/${path},upperdir=${upper},workdir=${work} /${path}`,
    ];
  }),
];

export interface Networks {
  /** The machine that is to become a server. */
  machine: Network;
  /** Everything else. */
  internet: Network;
}

export async function startNetworks(world: World): Promise<Networks | undefined> {
  const layers = world.path('layers');
  await mkdir(layers);
  const machine = await startNetwork(world, [], undefined, ownEtc(layers));
  const internet = await startNetwork(world, [], undefined);
  if (machine === undefined || internet === undefined) return undefined;
  await connectNetworks(
    { network: machine, addresses: Object.values(ours) },
    { network: internet, addresses: [...nameServerAddresses, ...Object.values(theirs)] },
  );
  return { machine, internet };
}

export function inNetwork({ inside }: Network, ...words: string[]): Promise<Finished> {
  const [first = '', ...rest] = [...inside, ...words];
  return run(first, rest);
}

export const commandIn =
  (network: Network) =>
  (...words: string[]): Promise<Finished> =>
    inNetwork(network, program, ...words);

/** Everything that quickstart makes, but the database. */
export async function filesOf({ root }: Network): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const folder of ['etc/posthorn', 'var/lib/posthorn']) {
    const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && !path.includes('/store/')) files[path] = await readFile(path, 'latin1');
    }
  }
  return files;
}

/** As the unit does it: its user, and of all rights of root the one for low ports. setpriv(1). */
export async function startServer(world: World, { inside }: Network): Promise<void> {
  const asUser = ['setpriv', '--reuid', 'posthorn', '--regid', 'posthorn', '--clear-groups'];
  const rights = ['--inh-caps', '-all,+net_bind_service', '--ambient-caps', '-all,+net_bind_service'];
  const bounds = ['--bounding-set', '-all,+net_bind_service', '--no-new-privs'];
  const [first = '', ...words] = [
    ...inside,
    ...asUser,
    ...rights,
    ...bounds,
    program,
    'serve',
    '--config',
    configFile,
  ];
  const server = start(first, words, world.watchLog(world.path('posthorn.log')));
  world.atEnd(() => server.stop());
  await server.line(/^posthorn ready$/);
}
