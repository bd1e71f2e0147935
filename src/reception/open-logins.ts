/** The ways to log in, put together: passwords, SCRAM, and which mechanisms a client is told of. */

import { authenticator } from '../store/passwords.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import type { Conduct } from './abuse/conduct.ts';
import { type Login, type LoginParts, logins } from './login.ts';
import { Scram, type ScramParts } from './scram.ts';

export interface Logins {
  /** Decides those of a session with that client, of which so much is counted. */
  loginsOf(client: string, conduct?: Conduct): Login;
  /** Offered to whoever comes now, the strongest first; some only over a connection that they can be bound to. */
  mechanisms(): readonly string[];
}

export async function openLogins({
  settings,
  ...core
}: {
  settings: { scram: ScramParts['offer'] };
  store: Store;
  places: NonNullable<LoginParts['places']>;
  clock: Clock;
  log: Log;
}): Promise<Logins> {
  const scram = await Scram.open({ ...core, offer: settings.scram });
  const authenticate = scram.keeping(authenticator(core.store));
  return {
    loginsOf: logins({ ...core, authenticate, mechanisms: scram.mechanisms }),
    mechanisms: () => [...scram.offered, 'PLAIN', 'LOGIN'],
  };
}
