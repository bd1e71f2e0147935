/** What stands between the doors and those who misbehave there, put together. */

import type { Config } from '../../config/config.ts';
import { Admission } from '../../net/admission.ts';
import { networkSet } from '../../net/networks.ts';
import type { Store } from '../../store/store.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { Bans, banPolicy } from './bans.ts';
import { Conducts } from './conduct.ts';
import { Gate, type RefusedCounts } from './gate.ts';
import { LoginPlaces } from './login-places.ts';

export interface Defence {
  bans: Bans;
  gate: Gate;
  conducts: Conducts;
  places: LoginPlaces;
  /** Another door, with room of its own: what is known of clients counts at it too. */
  gateFor(limits: GateLimits): Gate;
  abuseCounts(): AbuseCounts;
  /** A ban was lifted. */
  forgiven(network: string): void;
}

/** At once. */
export interface GateLimits {
  sessions: number;
  sessionsPerAddress: number;
}

export interface AbuseCounts {
  /** The start of the server. */
  since: number;
  /** Connections, by why. */
  refused: RefusedCounts;
  /** Sessions that wait for a late answer now. */
  delayed: number;
  /** Clients of which it is remembered that they did something wrong. */
  remembered: number;
}

export interface DefenceParts {
  config: Pick<Config, 'abuse' | 'limits' | 'relay'>;
  store: Store;
  clock: Clock;
  log: Log;
}

/** Reads the bans of earlier runs; `bans.stop()` writes those of this one. */
export async function openDefence({ config, ...parts }: DefenceParts): Promise<Defence> {
  const { abuse, limits, relay } = config;
  const { clock } = parts;
  const bans = await Bans.read({ ...parts, policy: banPolicy(abuse) });
  const trusted = networkSet(relay.trustedNetworks);
  const exempt = networkSet([...relay.trustedNetworks, ...abuse.exempt]);
  const gateFor = (room: GateLimits) => {
    const admission = new Admission({ ...room, ...abuse, now: clock.now });
    return new Gate({ ...parts, admission, bans, exempt, trusted });
  };
  const gate = gateFor(limits);
  const conducts = new Conducts({ limits: abuse, bans, clock, exempt });
  const since = clock.now();
  return {
    bans,
    gate,
    gateFor,
    conducts,
    places: new LoginPlaces({ ...parts, ...abuse }),
    abuseCounts() {
      const { delayed, remembered } = conducts;
      return { since, refused: gate.counts, delayed, remembered };
    },
    forgiven: (network) => conducts.forget(network),
  };
}
