/** `posthorn restore`: a snapshot back in the place of a data directory. What was salvaged is for `posthorn store restore`. */

import { join, resolve } from 'node:path';
import type { OutsideReport, RestoreReport } from '../backup/restore.ts';
import { plural } from '../dossier/words.ts';
import { explained } from './backup.ts';
import { type CommonOptions, type Context, printJson } from './context.ts';
import type { CommandTree } from './define.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { refuseWhileServed } from './served.ts';
import { formatSize } from './sizes.ts';

interface RestoreOptions extends CommonOptions {
  to?: string;
  snapshot?: string;
  release?: true;
}

export function addRestoreCommand(tree: CommandTree, context: Context): void {
  tree.run(
    tree
      .add(tree.root, 'restore <backup>', 'bring a snapshot back, into a data directory that is empty')
      .option('--to <directory>', 'the data directory (default: where it was)')
      .option('--snapshot <name>', 'default: the newest one')
      .option('--release', 'the server was stopped when the snapshot was made: hold no mail back')
      .option('--json', 'print JSON'),
    (options: RestoreOptions, backup: string) => restore(context, options, backup),
  );
}

async function restore(context: Context, options: RestoreOptions, backup: string): Promise<ExitCode> {
  const { restoreSnapshot } = await import('../backup/restore.ts');
  const { cwd } = context.terminal;
  return explained(async () => {
    const report = await restoreSnapshot({
      from: resolve(cwd, backup),
      snapshot: options.snapshot,
      to: options.to && resolve(cwd, options.to),
      release: options.release ?? false,
      now: context.clock.now(),
      requireUnused: refuseWhileServed,
    });
    if (options.json) printJson(context, report);
    else printRestored(context, report);
    return report.warnings.length + report.setAside.length > 0 ? exitCodes.damaged : exitCodes.ok;
  });
}

function printRestored({ terminal }: Context, report: RestoreReport): void {
  const { snapshot, dataDir, files, bytes, queue, warnings, setAside } = report;
  const line = (text: string) => terminal.out(`${text}\n`);
  line(`Snapshot ${snapshot} restored to ${dataDir}: ${plural(files, 'file')}, ${formatSize(bytes)}`);
  for (const text of setAside) line(`  ${text}`);
  for (const warning of warnings) line(`  missing in the snapshot already: ${warning}`);
  printOutside(line, report.outside, dataDir);
  if (report.absentOwner !== undefined)
    line(
      `  All of it is root's: this machine has no user ${report.absentOwner}, whose it was. To make that user and the service, and to give\n` +
        '  the files to it: posthorn quickstart DOMAIN',
    );
  if (queue.goesOn > 0)
    line(`${plural(queue.goesOn, 'recipient')} in the queue: delivery goes on with the start`);
  if (queue.held === 0) return;
  line(
    `${plural(queue.held, 'recipient')} at other servers on hold: they may have got their mail after the snapshot was made.\n` +
      '  To see them:                 posthorn queue list --state held\n' +
      '  To send it, maybe again:     posthorn queue release --all\n' +
      '  To send none of it:          posthorn queue drop --state held',
  );
}

function printOutside(
  line: (text: string) => void,
  { restored, differing }: OutsideReport,
  dataDir: string,
): void {
  for (const path of restored) line(`  ${path} restored`);
  for (const path of differing)
    line(`  ${path} is there already, and differs from the one in the snapshot: it was left`);
  if (restored.some((path) => path.startsWith(join(dataDir, 'outside'))))
    line(
      '  Put these where the configuration names them, and the configuration where you want it; dataDir in it must name this place.',
    );
}
