/** The configuration file: written where there is none; where there is one, a new domain is added at its end, and that is all. */

import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AdminError } from '../admin/admin-error.ts';
import { findAsAdministrator } from '../admin/open-admin.ts';
import type { Config } from '../config/config.ts';
import { loadConfig, parseConfig } from '../config/load.ts';
import { replaceFile } from '../util/replace-file.ts';
import { type ConfigContent, configText, domainText, sourceTables } from './config-text.ts';
import { configOption, type Places } from './places.ts';
import { SetupError, type StepOutcome } from './step.ts';

export type ConfigParts = Omit<ConfigContent, 'directory' | 'dataDir'> & {
  places: Places;
  existing: Config | undefined;
  /** A server runs by the configuration that there is: it is to know the new domain at once. */
  isRunning: boolean;
};

/** The value: the configuration as it is now, all files that it names checked but certificates, which have a step of their own. */
export async function ensureConfig({
  places,
  existing,
  isRunning,
  ...content
}: ConfigParts): Promise<StepOutcome<Config>> {
  const { domain } = content;
  const file = places.config;
  const complete = { ...content, dataDir: places.dataDir, directory: dirname(file) };
  if (existing === undefined) {
    await write(file, configText(complete), 0o644);
    return { value: await loaded(places), state: 'done', what: `${file}: written` };
  }
  if (existing.domains.some(({ name }) => name === domain)) return kept(await loaded(places), content);
  const path = await realpath(file);
  const [text, { mode }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
  const separator = text.endsWith('\n') ? '\n' : '\n\n';
  await write(path, `${text}${separator}${domainText(complete)}`, mode & 0o777);
  const config = await loaded(places);
  if (isRunning) await reload(existing, places);
  return {
    value: config,
    state: 'done',
    what: `${file}: a [[domain]] ${domain} added at its end, nothing else changed`,
    ...(isRunning && { details: ['the running server has read it'] }),
  };
}

async function reload(running: Config, places: Places): Promise<void> {
  const admin = await findAsAdministrator(running);
  try {
    await admin?.reload();
  } catch (error) {
    if (!(error instanceof AdminError)) throw error;
    const remedy = `Mend it, have it read (posthorn reload${configOption(places)}), and run quickstart again.`;
    throw new SetupError('config file', `the running server does not take it: ${error.message}`, remedy);
  } finally {
    await admin?.close();
  }
}

/** An address that is translated must be in the file: nobody can find it out at the start of the server. */
function kept(config: Config, { translated }: Pick<ConfigContent, 'translated'>): StepOutcome<Config> {
  const isMissing = translated.length > 0 && config.sources.length === 0;
  return {
    value: config,
    state: isMissing ? 'warning' : 'kept',
    what: config.file,
    ...(isMissing && { remedy: `Add to it, as this machine is behind NAT:\n${sourceTables(translated)}` }),
  };
}

/** What is written is good by all that can be known without the files that it names, or nothing is written. */
async function write(file: string, text: string, mode: number): Promise<void> {
  await parseConfig(text, file, { checkFiles: false });
  await replaceFile(file, text, mode);
}

async function loaded(places: Places): Promise<Config> {
  try {
    return await loadConfig(places.config, { checkCertificates: false });
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    const remedy = `Mend it, and run quickstart again. All that is wrong: posthorn config check${configOption(places)}`;
    throw new SetupError('config file', what, remedy);
  }
}
