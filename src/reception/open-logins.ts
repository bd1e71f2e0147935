/** The ways to log in, put together: passwords, SCRAM, tokens, and which mechanisms a client is told of. */

import type { OauthConfig } from '../config/config.ts';
import type { Https } from '../net/https.ts';
import type { StartMechanism } from '../sasl/exchange.ts';
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
  oauth,
  ...core
}: {
  settings: { scram: ScramParts['offer'] };
  /** Absent: no tokens are taken. */
  oauth: OauthConfig | undefined;
  https: Https;
  store: Store;
  places: NonNullable<LoginParts['places']>;
  onLogin?: LoginParts['onLogin'];
  clock: Clock;
  log: Log;
}): Promise<Logins> {
  const scram = await Scram.open({ ...core, offer: settings.scram });
  const authenticate = scram.keeping(authenticator(core.store));
  const tokens: ReadonlyMap<string, StartMechanism> = oauth
    ? (await import('./oauth/bearer.ts')).bearers({ ...core, oauth }) // loaded only where it is wanted
    : new Map();
  return {
    loginsOf: logins({ ...core, authenticate, mechanisms: new Map([...scram.mechanisms, ...tokens]) }),
    mechanisms: () => [...scram.offered, ...tokens.keys(), 'PLAIN', 'LOGIN'],
  };
}
