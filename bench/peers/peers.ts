/** The servers that Posthorn is compared with, and what becomes of a comparison when one of them cannot be had. */

import type { CountingSink } from '../arrivals.ts';
import type { BenchContext } from '../bench.ts';
import { sendLoad } from '../load.ts';
import { chasquid } from './chasquid.ts';
import { exim } from './exim.ts';
import { haraka } from './haraka.ts';
import { opensmtpd } from './opensmtpd.ts';
import { defaultPostfix, tunedPostfix } from './postfix.ts';
import type { Peer, Relay } from './relay.ts';

export const peers: Readonly<Record<BenchContext['options']['peers'], readonly Peer[]>> = {
  tuned: [tunedPostfix],
  all: [tunedPostfix, defaultPostfix, exim, opensmtpd, chasquid, haraka],
};

const trialLoad = { messages: 20, sizeBytes: 1_024, sessions: 2, connections: 'reused' } as const;
const trialMs = 20_000;

/** Starts those that the command line asks for; what cannot be had or does not relay is named, with the reason. */
export async function startPeers(context: BenchContext, sink: CountingSink): Promise<Relay[]> {
  const started: Relay[] = [];
  for (const peer of peers[context.options.peers]) {
    try {
      const relay = await peer.start(context.world, sink.port);
      await tryOut(relay, sink);
      started.push(relay);
      context.log(`  ${peer.name} is running`);
    } catch (error) {
      context.log(skipLine(peer, error));
    }
  }
  return started;
}

/** A few messages, end to end: better said now than in the middle of a round. */
async function tryOut({ port, recipient }: Relay, sink: CountingSink): Promise<void> {
  const goal = (await sink.count()) + trialLoad.messages;
  await sendLoad(port, { ...trialLoad, ...(recipient === undefined ? {} : { recipient }) }, trialMs);
  await sink.reached(goal, trialMs);
}

/** `  skip exim (apt-get download exim4-daemon-light): …`. */
export function skipLine({ name, comesFrom }: Peer, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `  skip ${name} (${comesFrom}): ${reason.trimEnd().replaceAll('\n', '\n    ')}`;
}
