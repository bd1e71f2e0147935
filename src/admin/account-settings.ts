/** What can be set of an account: the rules, and what a change makes of what was set before. */

import { defaultPolicyName } from '../policy/policy.ts';
import { follow } from '../queue/following.ts';
import { findPlace, type PlaceParts } from '../queue/readings.ts';
import type { WhichLogins } from '../reception/signed-in.ts';
import type { AccountSettings } from '../store/account-store.ts';
import type { Store } from '../store/store.ts';
import type { Turnstile } from '../util/turnstile.ts';
import { anyAddress, type Domains, localAddress } from './addresses.ts';
import type { Admin } from './admin.ts';
import { AdminError } from './admin-error.ts';
import type { SettingsChange } from './shapes/accounts.ts';

export interface SettingsParts {
  store: Pick<Store, 'findAccount' | 'findAlias' | 'setSettings'>;
  domains: Domains;
  /** The policies of the configuration; the built-in one is there besides. */
  policies: readonly { name: string }[];
  /** Lets one in at a time; the same for all that changes settings. */
  turns: Turnstile;
  /** Whoever remembers accounts must look again. */
  changed(): void;
  /** Absent where no server runs. */
  endSessions?: EndSessions | undefined;
}

/** Ends what is open by an account's logins. */
export type EndSessions = (account: string, which?: WhichLogins) => void;

/** Addresses that one account's mail goes on to. */
const maxForwards = 20;

export function settingsOperations(parts: SettingsParts): Pick<Admin, 'changeSettings'> {
  const { store, domains, turns, changed, endSessions } = parts;
  return {
    changeSettings: ({ address, ...change }) =>
      inTurn(turns, async () => {
        const key = localAddress(address, domains);
        const account = await store.findAccount(key);
        if (!account) throw noSuchAccount(key);
        checkPolicy(parts, change.policy ?? undefined);
        const forward = change.forward && (await checkForward(parts, key, change.forward));
        const settings = settingsAfter(account.settings ?? {}, { ...change, ...(forward && { forward }) });
        await store.setSettings(key, settings);
        changed();
        if (change.appPasswordsOnly) endSessions?.(key, 'without-app-password');
        return settings;
      }),
  };
}

/** All settings of an account are read, changed and written as one: who does that waits for whoever does it. */
export async function inTurn<T>(turns: Turnstile, change: () => Promise<T>): Promise<T> {
  await turns.enter();
  try {
    return await change();
  } finally {
    turns.leave();
  }
}

type Change = Omit<SettingsChange, 'address'>;

/** Nothing is kept of what is as it would be anyway. */
function settingsAfter(
  before: AccountSettings,
  { receive, send, quotaBytes, policy, forward, hourlyRecipients, appPasswordsOnly }: Change,
): AccountSettings {
  const settings = { ...before };
  if (receive !== undefined) delete settings.receive;
  if (receive === false) settings.receive = false;
  if (send !== undefined) delete settings.send;
  if (send === false) settings.send = false;
  if (quotaBytes !== undefined) delete settings.quotaBytes;
  if (typeof quotaBytes === 'number') settings.quotaBytes = quotaBytes;
  if (policy !== undefined) delete settings.policy;
  if (typeof policy === 'string') settings.policy = policy;
  if (hourlyRecipients !== undefined) delete settings.hourlyRecipients;
  if (typeof hourlyRecipients === 'number') settings.hourlyRecipients = hourlyRecipients;
  if (appPasswordsOnly !== undefined) delete settings.appPasswordsOnly;
  if (appPasswordsOnly === true) settings.appPasswordsOnly = true;
  if (forward !== undefined) delete settings.forward;
  if (forward) settings.forward = { to: forward.to, ...(forward.keep && { keep: true }) };
  return settings;
}

function checkPolicy({ policies }: SettingsParts, policy: string | undefined): void {
  const known = [...new Set([defaultPolicyName, ...policies.map(({ name }) => name)])];
  if (policy === undefined || known.includes(policy)) return;
  throw new AdminError(
    'bad-request',
    `There is no policy ${JSON.stringify(policy.slice(0, 100))}. There are: ${known.join(', ')}.`,
  );
}

async function checkForward(
  parts: SettingsParts,
  account: string,
  { to, keep }: { to: string[]; keep: boolean },
): Promise<{ to: string[]; keep: boolean }> {
  if (to.length === 0 || to.length > maxForwards)
    throw new AdminError('bad-request', `Name the address that mail goes on to, or up to ${maxForwards}.`);
  const places: PlaceParts = {
    store: parts.store,
    domains: new Map(parts.domains.map((domain) => [domain.name, domain])),
  };
  const found: string[] = [];
  for (const target of to) found.push(await checkTarget(places, { account, target, domains: parts.domains }));
  return { to: [...new Set(found)], keep };
}

async function checkTarget(
  places: PlaceParts,
  { account, target, domains }: { account: string; target: string; domains: Domains },
): Promise<string> {
  const { address, isLocal } = anyAddress(target, domains);
  if (!isLocal) return address;
  if (!(await findPlace(places, address))) throw noSuchAccount(address);
  const { recipients } = await follow(places, { original: address, start: address, evenClosed: true });
  if (!recipients.has(account)) return address;
  throw new AdminError(
    'bad-request',
    `${account} → ${address} would be a loop. With --keep, a copy stays in the account.`,
  );
}

export const noSuchAccount = (address: string) =>
  new AdminError(
    'no-such-account',
    `There is no account ${address}. To make it: posthorn account add ${address}`,
  );
