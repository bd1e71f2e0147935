/** The ways to log in, put together: passwords, SCRAM, tokens, and which mechanisms a client is told of. */

import type { OauthConfig } from '../config/people.ts';
import type { Https } from '../net/https.ts';
import type { Service, StartMechanism } from '../sasl/exchange.ts';
import { noteUse, readAppPasswords } from '../store/app-passwords.ts';
import { authenticator } from '../store/passwords.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import type { Conduct } from './abuse/conduct.ts';
import { type Login, type LoginParts, logins } from './login.ts';
import { Scram, type ScramParts } from './scram.ts';

export interface Logins {
  /** Decides those of a session with that client, of which so much is counted. */
  loginsOf(client: string, conduct: Conduct | undefined, service: Service): Login;
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
  turns?: NonNullable<ScramParts['turns']>;
  places: NonNullable<LoginParts['places']>;
  onLogin?: LoginParts['onLogin'];
  clock: Clock;
  log: Log;
}): Promise<Logins> {
  const scram = await Scram.open({ ...core, offer: settings.scram });
  const { store, clock, log } = core;
  const own = authenticator({
    findAccount: (address) => store.findAccount(address),
    appPasswordsOf: (account) => readAppPasswords(store, account),
  });
  const authenticate = scram.keeping(own);
  const tokens: ReadonlyMap<string, StartMechanism> = oauth
    ? (await import('./oauth/bearer.ts')).bearers({ ...core, oauth }) // loaded only where it is wanted
    : new Map();
  return {
    loginsOf: logins({
      ...core,
      authenticate,
      mechanisms: new Map([...scram.mechanisms, ...tokens]),
      isSuspended: async (account) => (await store.findAccount(account))?.settings?.suspended !== undefined,
      onAppPassword(account, name) {
        noteUse(store, { account, name, now: clock.now() }).catch((error) =>
          log.warn({ err: error, account }, 'cannot note when an app password was used'),
        );
      },
    }),
    mechanisms: () => [...scram.offered, ...tokens.keys(), 'PLAIN', 'LOGIN'],
  };
}
