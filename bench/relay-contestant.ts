/** A relay in a contest: smtp-source before it, the counting sink behind it. */

import type { CountingSink } from './arrivals.ts';
import type { Contestant } from './contest.ts';
import { type Load, sendLoad } from './load.ts';
import type { Relay } from './peers/relay.ts';

/** A server that passes on to `sink` what smtp-source sends it. */
export function relayContestant(relay: Relay, sink: CountingSink, load: Omit<Load, 'messages'>): Contestant {
  const { name, description, pid, port, recipient } = relay;
  const envelope = recipient === undefined ? {} : { recipient };
  return {
    name,
    description,
    pid,
    arrivals: sink,
    send: (messages) => sendLoad(port, { ...load, ...envelope, messages }),
  };
}

/** The sink itself: what cannot be exceeded in this measurement. */
export const directRelay = ({ port, pid }: CountingSink): Relay => ({
  name: '(no server)',
  port,
  pid,
  description: 'smtp-source straight into smtp-sink',
});
