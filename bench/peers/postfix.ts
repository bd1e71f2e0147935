/**
 * Postfix as a relay: as it comes, or tuned to be quick, with no throttling between its parts and as many connections
 * to the sink as it has senders. Its queue lies on the same file system as Posthorn's store. postconf(5).
 */

import { ensurePrograms, UnavailableError } from '../../e2e/packages.ts';
import { startPostfix } from '../../e2e/peers/postfix.ts';
import { runOk } from '../../e2e/process.ts';
import type { World } from '../../e2e/world.ts';
import type { Peer, Relay } from './relay.ts';

type Parameters = Readonly<Record<string, string>>;

/** With `maillog_file` and without inbound TLS, as every Postfix of ours. */
export const tuning: Parameters = {
  default_destination_concurrency_limit: '20',
  initial_destination_concurrency: '20',
  in_flow_delay: '0',
};

const comesFrom = 'apt-get install postfix';

export const tunedPostfix: Peer = {
  name: 'postfix-tuned',
  comesFrom,
  start: (world, sinkPort) => relayingPostfix(world, { name: 'postfix-tuned', sinkPort, parameters: tuning }),
};

export const defaultPostfix: Peer = {
  name: 'postfix-default',
  comesFrom,
  start: (world, sinkPort) => relayingPostfix(world, { name: 'postfix-default', sinkPort }),
};

export interface RelayingOptions {
  name: string;
  sinkPort: number;
  /** What is set, and told. */
  parameters?: Parameters;
  /** What is set besides, and is not worth telling. */
  silently?: Parameters;
}

export async function relayingPostfix(world: World, options: RelayingOptions): Promise<Relay> {
  const { name, sinkPort, parameters = {}, silently = {} } = options;
  const relayhost = `[127.0.0.1]:${sinkPort}`;
  await requirePostfix();
  const { port, pid } = await startPostfix(world, {
    name,
    parameters: { ...parameters, ...silently, relayhost },
  });
  return { name, port, pid, description: await describePostfix(parameters) };
}

/** master(8) changes users, which nobody but root may. */
export async function requirePostfix(): Promise<void> {
  await ensurePrograms(['postfix']);
  if (process.getuid?.() !== 0) throw new UnavailableError('Postfix starts as root only');
}

export async function describePostfix(parameters: Parameters): Promise<string> {
  const { stdout } = await runOk('postconf', ['-h', 'mail_version']);
  const settings = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  return [`Postfix ${stdout.toString().trim()}`, ...settings].join(' ');
}
