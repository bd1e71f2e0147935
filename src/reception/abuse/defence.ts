/** What stands between the doors and those who misbehave there, put together. */

import type { Config } from '../../config/config.ts';
import { Admission } from '../../net/admission.ts';
import { networkSet } from '../../net/networks.ts';
import type { Store } from '../../store/store.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { Bans, banPolicy } from './bans.ts';
import { Conducts } from './conduct.ts';
import { Gate } from './gate.ts';
import { LoginPlaces } from './login-places.ts';

export interface Defence {
  bans: Bans;
  gate: Gate;
  conducts: Conducts;
  places: LoginPlaces;
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
  const admission = new Admission({ ...limits, ...abuse, now: clock.now });
  return {
    bans,
    gate: new Gate({ ...parts, admission, bans, exempt, trusted }),
    conducts: new Conducts({ limits: abuse, bans, clock, exempt }),
    places: new LoginPlaces({ ...parts, ...abuse }),
  };
}
