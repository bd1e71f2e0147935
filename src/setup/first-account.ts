/** The first mailbox of the domain: its password is shown once, and postmaster@ and abuse@ reach it. */

import type { Admin } from '../admin/admin.ts';
import { generatePassword } from '../admin/generate-password.ts';
import { openAdmin } from '../admin/open-admin.ts';
import type { Config } from '../config/config.ts';
import { addressKey, parseAddress } from '../mail/address.ts';
import type { Clock } from '../util/clock.ts';
import { SetupError, type StepOutcome } from './step.ts';

export interface AccountParts {
  config: Config;
  domain: string;
  /** The part before the @, or the whole address. */
  user: string;
  clock: Clock;
  open?: (config: Config, clock: Clock) => Promise<Admin>;
}

export interface FirstAccount {
  address: string;
  /** Absent where the account existed: its password is nobody's but its owner's. */
  password?: string;
}

export async function ensureAccount(parts: AccountParts): Promise<StepOutcome<FirstAccount>> {
  const { config, domain, clock, open = openAdmin } = parts;
  const address = readAccount(parts);
  const admin = await open(config, clock);
  try {
    const accounts = await admin.listAccounts();
    if (accounts.some((account) => account.address === address))
      return { value: { address }, state: 'kept', what: `${address} exists, with its password` };
    const password = generatePassword();
    await admin.addAccount({ address, password });
    const postmaster = config.domains.find(({ name }) => name === domain)?.postmaster;
    const isFirst = !accounts.some((account) => account.address.endsWith(`@${domain}`));
    const roles =
      isFirst && postmaster === undefined
        ? `; mail for postmaster@${domain} and abuse@${domain} reaches it`
        : '';
    return { value: { address, password }, state: 'done', what: `${address}: made${roles}` };
  } finally {
    await admin.close();
  }
}

function readAccount({ user, domain }: AccountParts): string {
  const address = parseAddress(user.includes('@') ? user : `${user}@${domain}`);
  if (address !== undefined && address.domain === domain) return addressKey(address);
  throw new SetupError(
    'account',
    `"${user}" cannot be an account of ${domain}`,
    `Give the part before the @, such as --user alice, or an address such as alice@${domain}.`,
  );
}
