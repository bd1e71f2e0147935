/** `posthorn reload`: the running server reads its configuration anew. */

import { AdminError } from '../admin/admin-error.ts';
import { findServer } from '../admin/open-admin.ts';
import { type CommonOptions, type Context, configOf, printJson } from './context.ts';
import type { CommandTree } from './define.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

export function addReloadCommand(tree: CommandTree, context: Context): void {
  tree.run(
    tree
      .add(
        tree.root,
        'reload',
        'have the running server put its configuration in force as it is now, or nothing of it',
      )
      .option('--json', 'print JSON'),
    (options) => reload(context, options),
  );
}

async function reload(context: Context, options: CommonOptions): Promise<ExitCode> {
  // The server looks at the files: they need not be for whoever asks.
  const config = await configOf(context, options, { checkFiles: false });
  const admin = await findServer(config);
  if (admin === undefined) throw nobodyThere(config.dataDir);
  try {
    const reloaded = await admin.reload();
    if (options.json) printJson(context, reloaded);
    else context.terminal.out(`${reloaded.file} is in force. ${changesOf(reloaded.changed)}\n`);
  } finally {
    await admin.close();
  }
  return exitCodes.ok;
}

const changesOf = (changed: readonly string[]): string =>
  changed.length === 0
    ? 'Nothing has changed in it; certificates, keys and lists were read anew.'
    : `Changed: ${changed.join(', ')}.`;

const nobodyThere = (dataDir: string) =>
  new AdminError(
    'no-server',
    `No server runs on ${dataDir}. Start it with: posthorn serve. (If dataDir is what you have changed: that needs a restart.)`,
  );
