/** `posthorn config check`: is the configuration good, and what does it come to? */

import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/problem.ts';
import type { DkimConfig } from '../config/receiving.ts';
import { warningsOfSecrets } from '../config/secret-files.ts';
import { warningsOf } from '../config/warnings.ts';
import { domainsWithoutSource, sourceRemedy } from '../delivery/route/sources.ts';
import { transportName } from '../delivery/transports/transports.ts';
import { warningsOfCertificates } from './certificate-warnings.ts';
import { explainKeys, showSettings } from './config-words.ts';
import { type CommonOptions, type Context, configOf, printJson } from './context.ts';
import type { CommandTree } from './define.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

export function addConfigCommands(tree: CommandTree, context: Context): void {
  const config = tree.root.command('config').description('look at the configuration');
  tree.run(
    tree
      .add(config, 'check', 'say everything that is wrong with it, with line and remedy')
      .option('--json', 'print JSON'),
    (options) => check(context, options),
  );
  tree.run(
    tree
      .add(
        config,
        'show',
        'every setting that is in force, in the words of the file, with the defaults marked',
      )
      .option('--json', 'print JSON'),
    (options) => showSettings(context, options),
  );
  tree.run(
    tree
      .add(
        config,
        'explain <key>',
        'what a key means: its kind, its default, an example; limits.recipients, or recipients alone',
      )
      .option('--json', 'print JSON'),
    (options, key: string) => explainKeys(context, options, key),
  );
}

async function check(context: Context, options: CommonOptions): Promise<ExitCode> {
  try {
    const config = await configOf(context, options);
    if (config.listeners.length === 0) throw nothingToServe(config);
    const warnings = [
      ...warningsOf(config),
      ...(await warningsOfSecrets(config)),
      ...(await warningsOfCertificates(config, context.clock.now())),
    ];
    if (options.json)
      printJson(context, {
        ok: true,
        config,
        withoutSource: domainsWithoutSource(config),
        warnings,
      });
    else context.terminal.out(`${summary(config, warnings).join('\n')}\n`);
    return exitCodes.ok;
  } catch (error) {
    if (!(error instanceof ConfigError) || !options.json) throw error;
    printJson(context, { ok: false, problems: error.problems });
    return exitCodes.config;
  }
}

/** `serve` would refuse it; other commands can do without. */
export const nothingToServe = ({ file }: Config): ConfigError =>
  new ConfigError([
    { file, key: '', what: 'has no [[listener]]: there is nothing to serve', remedy: 'Add one.' },
  ]);

function summary(config: Config, warnings: readonly string[]): string[] {
  const { file, hostname, dataDir, listeners, domains, transports } = config;
  return [
    `${file}: good`,
    `  ${hostname}, data in ${dataDir}`,
    ...listeners.map(
      ({ protocol, address, port, socket }) => `  ${protocol} on ${socket ?? `${address} port ${port}`}`,
    ),
    ...(domains.length === 0 ? ['  mail for nobody: there is no [[domain]]'] : []),
    ...domains.map(
      ({ name, dkim = [] }) =>
        `  mail for ${name}, ${dkim.length > 0 ? `signed with ${keyWords(dkim)}` : 'not signed'}`,
    ),
    ...transports.map(
      ({ domains: whose, senders, way }) =>
        `  mail to ${whose.join(', ')}${senders ? ` from ${senders.join(', ')}` : ''}: ${transportName(way)}`,
    ),
    ...domainsWithoutSource(config).map(
      (name) => `  warning: no [[source]] is for ${name}: what it sends by MX waits. ${sourceRemedy(name)}`,
    ),
    ...warnings.map((words) => `  warning: ${words}`),
  ];
}

const keyWords = (keys: readonly DkimConfig[]): string =>
  `${keys.length === 1 ? 'key' : 'keys'} ${keys.map(({ selector }) => selector).join(' and ')}`;
