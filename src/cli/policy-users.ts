/** Which mailboxes name a policy of their own, as the running server or the store on disk knows it. */

import { access } from 'node:fs/promises';
import { openAdmin } from '../admin/open-admin.ts';
import type { Config } from '../config/config.ts';
import { errorCode } from '../store/errors.ts';
import { storeFiles } from '../store/sqlite/store-files.ts';
import type { Context } from './context.ts';
import { explain } from './errors.ts';

/** Addresses by the name of the policy. */
export type PolicyUsers = ReadonlyMap<string, readonly string[]>;

/** Undefined where it cannot be known, which is said: a policy is a matter of the configuration all the same. */
export async function policyUsers(
  { terminal, clock }: Context,
  config: Config,
): Promise<PolicyUsers | undefined> {
  const users = new Map<string, string[]>();
  // Where there is no store yet, a look is to make none.
  if (!(await mayBeThere(storeFiles(config.dataDir).database))) return users;
  try {
    const admin = await openAdmin(config, clock);
    try {
      for (const { address, settings: { policy } = {} } of await admin.listAccounts())
        if (policy !== undefined) {
          const others = users.get(policy) ?? [];
          others.push(address);
          users.set(policy, others);
        }
    } finally {
      await admin.close();
    }
    return users;
  } catch (error) {
    terminal.err(`posthorn: which mailboxes name a policy is not known: ${explain(error).text}\n`);
    return undefined;
  }
}

const mayBeThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    (error: unknown) => errorCode(error) !== 'ENOENT',
  );
