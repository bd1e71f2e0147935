/** What every command gets: the terminal, the clock, and ways to the configuration and the data. */

import type { Admin } from '../admin/admin.ts';
import { openAdmin } from '../admin/open-admin.ts';
import type { Config } from '../config/config.ts';
import { findConfigFile } from '../config/find.ts';
import { type LoadOptions, loadConfig } from '../config/load.ts';
import type { Clock } from '../util/clock.ts';
import type { Terminal } from './terminal.ts';

export interface Context {
  terminal: Terminal;
  clock: Clock;
}

/** Options that every command has. */
export interface CommonOptions {
  config?: string;
  json?: boolean;
}

export async function configOf(
  { terminal }: Context,
  { config }: CommonOptions,
  options?: LoadOptions,
): Promise<Config> {
  const { env, cwd } = terminal;
  return loadConfig(await findConfigFile({ flag: config, env, cwd }), options);
}

/**
 * Opens the data, through the running server if there is one, and lets go of it when `use` is done. Keys and certificates are
 * for the server to read: who only gives it orders may have no right to.
 */
export async function withAdmin<T>(
  context: Context,
  options: CommonOptions,
  use: (admin: Admin, config: Config) => Promise<T>,
  loading: LoadOptions = { checkFiles: false },
): Promise<T> {
  const config = await configOf(context, options, loading);
  const slow = (text: string) => context.terminal.err(`posthorn: ${text}\n`);
  const admin = await openAdmin(config, context.clock, { slow });
  try {
    return await use(admin, config);
  } finally {
    await admin.close();
  }
}

export function printJson({ terminal }: Context, value: unknown): void {
  terminal.out(`${JSON.stringify(value, null, 2)}\n`);
}
