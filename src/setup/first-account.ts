/** The first mailbox of the domain: its password is shown once, and postmaster@ and abuse@ reach it. */

import type { Admin } from '../admin/admin.ts';
import { generatePassword } from '../admin/generate-password.ts';
import { openAdmin } from '../admin/open-admin.ts';
import type { Config } from '../config/config.ts';
import type { Clock } from '../util/clock.ts';
import type { StepOutcome } from './step.ts';

export interface AccountParts {
  config: Config;
  domain: string;
  /** One that is wanted, by its key. Without it any account of the domain will do, and the first is the postmaster's. */
  address?: string | undefined;
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
  const admin = await open(config, clock);
  try {
    const accounts = (await admin.listAccounts()).filter(({ address }) => address.endsWith(`@${domain}`));
    const first = accounts.sort((one, other) => one.createdAt - other.createdAt)[0];
    const address = parts.address ?? first?.address ?? `postmaster@${domain}`;
    if (accounts.some((account) => account.address === address))
      return { value: { address }, state: 'kept', what: `${address} exists, with its password` };
    const password = generatePassword();
    await admin.addAccount({ address, password });
    const postmaster = config.domains.find(({ name }) => name === domain)?.postmaster;
    const roles =
      first === undefined && postmaster === undefined
        ? `; mail for postmaster@${domain} and abuse@${domain} reaches it`
        : '';
    return { value: { address, password }, state: 'done', what: `${address}: made${roles}` };
  } finally {
    await admin.close();
  }
}
