/** What stands between the doors and those who misbehave there, put together. */

import type { Config } from '../../config/config.ts';
import { madeOf } from '../../config/settings.ts';
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
  gateFor(roomIn: (config: DefenceConfig) => GateLimits): Gate;
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

export type DefenceConfig = Pick<Config, 'abuse' | 'limits' | 'relay' | 'web'>;

export interface DefenceParts {
  settings: { readonly config: DefenceConfig };
  store: Store;
  clock: Clock;
  log: Log;
}

/** Reads the bans of earlier runs; `bans.stop()` writes those of this one. */
export async function openDefence({ settings, ...parts }: DefenceParts): Promise<Defence> {
  const { clock, store, log } = parts;
  const policy = madeOf(settings, ({ abuse }) => banPolicy(abuse));
  const trusted = madeOf(settings, ({ relay }) => networkSet(relay.trustedNetworks));
  const exempt = madeOf(settings, ({ relay, abuse }) =>
    networkSet([...relay.trustedNetworks, ...abuse.exempt]),
  );
  const isTrusted = (address: string) => trusted()(address);
  const isExempt = (address: string) => exempt()(address);
  const bans = await Bans.read({
    ...{ store, clock, log },
    get policy() {
      return policy();
    },
  });
  const gateFor: Defence['gateFor'] = (roomIn) => {
    const limits = madeOf(settings, (config) => ({ ...roomIn(config), ...config.abuse, now: clock.now }));
    const admission = new Admission(limits);
    return new Gate({ clock, log, admission, bans, exempt: isExempt, trusted: isTrusted });
  };
  const gate = gateFor(({ limits }) => limits);
  const conducts = new Conducts({ bans, clock, limits: () => settings.config.abuse, exempt: isExempt });
  const since = clock.now();
  return {
    bans,
    gate,
    gateFor,
    conducts,
    places: new LoginPlaces({
      ...parts,
      get accountAuthFailures() {
        return settings.config.abuse.accountAuthFailures;
      },
    }),
    abuseCounts() {
      const { delayed, remembered } = conducts;
      return { since, refused: gate.counts, delayed, remembered };
    },
    forgiven: (network) => conducts.forget(network),
  };
}
