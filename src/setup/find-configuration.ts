/** Is there a configuration already? Then it is what everything else goes by, and nothing in it is changed. */

import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { ConfigError } from '../config/problem.ts';
import { isThere } from './machine.ts';
import { configOption, type Places } from './places.ts';
import { SetupError, type StepOutcome } from './step.ts';

/** Files that it names may be missing: they are made again. Rejects with a SetupError where it cannot be read. */
export async function findConfiguration(
  places: Places,
  domain: string,
): Promise<StepOutcome<Config | undefined>> {
  const file = places.config;
  if (!(await isThere(file)))
    return {
      value: undefined,
      state: 'done',
      what: `none yet: a new server, with its configuration in ${file}`,
    };
  const config = await load(file, places);
  const isKnown = config.domains.some(({ name }) => name === domain);
  return {
    value: config,
    state: 'kept',
    what: isKnown ? `${file} is there, and stays as it is` : `${file} is there: ${domain} is added to it`,
  };
}

async function load(file: string, places: Places): Promise<Config> {
  try {
    return await loadConfig(file, { checkFiles: false });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const remedy = `Mend it, or move it away. All that is wrong: posthorn config check${configOption(places)}`;
    throw new SetupError('configuration', error.message, remedy);
  }
}
