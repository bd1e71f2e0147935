/**
 * Postfix as a relay, tuned to be quick: no throttling between its parts and as many connections to the sink as it
 * has senders. Its queue lies on the same file system as Posthorn's store. postconf(5).
 */

import { startPostfix } from '../../e2e/peers/postfix.ts';
import { runOk } from '../../e2e/process.ts';
import type { World } from '../../e2e/world.ts';
import type { Relay } from './relay.ts';

const tuning = {
  default_destination_concurrency_limit: '20',
  initial_destination_concurrency: '20',
  in_flow_delay: '0',
};

export async function postfixRelay(world: World, sinkPort: number): Promise<Relay> {
  const parameters = { ...tuning, relayhost: `[127.0.0.1]:${sinkPort}` };
  const { port, pid } = await startPostfix(world, { parameters });
  const { stdout } = await runOk('postconf', ['-h', 'mail_version']);
  const settings = Object.entries(tuning).map(([name, value]) => `${name}=${value}`);
  return { name: 'postfix', port, pid, description: [stdout.toString().trim(), ...settings].join(' ') };
}
