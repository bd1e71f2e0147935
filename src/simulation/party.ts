/** A receiver with its site, and what comes of its mail. */

import type { SiteTables } from '../delivery/route/site-tables.ts';
import { Receiver, type ReceiverParts } from './receiver.ts';
import type { ReceiverScript } from './scenario.ts';
import { Tally } from './tally.ts';

export interface Party {
  receiver: Receiver;
  site: string;
  tally: Tally;
  /** Messages that come in still. */
  toCome: number;
}

const minuteMs = 60_000;

/** Its MX hosts, all of one preference, are its site, unless a table knows them. */
export function newParty(script: ReceiverScript, tables: SiteTables, parts: ReceiverParts): Party {
  const { domain, mx } = script;
  const hosts = mx.map((host) => ({ host, preference: 10, addresses: [] }));
  const site = tables.find({ domain, hosts })?.name ?? mx.join(', ');
  const toCome = Math.round((script.perMinute * script.arrivalsMs) / minuteMs);
  return { receiver: new Receiver(script, parts), site, tally: new Tally(script, site), toCome };
}
