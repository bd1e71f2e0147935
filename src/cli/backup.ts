/** `posthorn backup`: snapshots of everything that a server is, also while it runs; and whether they are whole. */

import { resolve } from 'node:path';
import { BackupError } from '../backup/layout.ts';
import { plural } from '../dossier/words.ts';
import { type CommonOptions, type Context, configOf, printJson } from './context.ts';
import type { CommandTree } from './define.ts';
import { CommandError } from './errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { positiveNumber } from './numbers.ts';
import { formatSize } from './sizes.ts';

interface CreateOptions extends CommonOptions {
  keep?: number;
}

interface VerifyOptions extends CommonOptions {
  snapshot?: string;
}

export function addBackupCommands(tree: CommandTree, context: Context): void {
  const backup = tree.root
    .command('backup')
    .description('save everything, also while the server runs; see that it is whole');
  tree.run(
    tree
      .add(backup, 'create <directory>', 'make a snapshot; what the one before has is not copied again', {
        isDefault: true,
      })
      .option('--keep <number>', 'then remove the oldest snapshots but for so many', positiveNumber)
      .option('--json', 'print JSON'),
    (options: CreateOptions, directory: string) => create(context, options, directory),
  );
  tree.run(
    tree
      .add(backup, 'verify <directory>', 'compare every file with its sum')
      .option('--snapshot <name>', 'only this one (default: all)')
      .option('--json', 'print JSON'),
    (options: VerifyOptions, directory: string) => verify(context, options, directory),
  );
  tree.run(
    tree.add(backup, 'list <directory>', 'the snapshots, the oldest first').option('--json', 'print JSON'),
    (options, directory: string) => list(context, options, directory),
  );
}

async function create(context: Context, options: CreateOptions, directory: string): Promise<ExitCode> {
  // Not of the files that it names: what is broken there should be saved as well.
  const config = await configOf(context, options, { checkFiles: false });
  const { openBackupDirectory } = await import('../backup/directory.ts');
  const { makeSnapshot } = await import('../backup/snapshot.ts');
  const { holdStore } = await import('../admin/held-store.ts');
  const { clock, terminal } = context;
  return explained(async () => {
    const begunAt = clock.now();
    using into = await openBackupDirectory(resolve(terminal.cwd, directory), config.dataDir);
    const report = await makeSnapshot({ config, into, now: clock.now, hold: () => holdStore(config, clock) });
    const isWhole = report.warnings.length === 0;
    // An older one may have what this one has not.
    const removed = options.keep !== undefined && isWhole ? await into.prune(options.keep) : [];
    const tookMs = clock.now() - begunAt;
    if (options.json) printJson(context, { ...report, tookMs, removed });
    else {
      for (const warning of report.warnings) terminal.err(`${warning}\n`);
      terminal.out(
        `Snapshot ${report.name}: ${plural(report.files, 'file')}, ${formatSize(report.bytes)}; ` +
          `${plural(report.copiedFiles, 'file')} copied (${formatSize(report.copiedBytes)}), ` +
          `the rest is as in the snapshot before; ${seconds(tookMs)}\n`,
      );
      for (const name of removed) terminal.out(`Snapshot ${name} removed\n`);
      if (options.keep !== undefined && !isWhole)
        terminal.err('No older snapshot was removed, since something is missing in this one.\n');
    }
    return isWhole ? exitCodes.ok : exitCodes.damaged;
  });
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

async function verify(context: Context, options: VerifyOptions, directory: string): Promise<ExitCode> {
  const { verifySnapshot } = await import('../backup/verify.ts');
  const { path, names } = await snapshotsIn(context, directory, options.snapshot);
  const results: { snapshot: string; files: number; bytes: number; damage: string[] }[] = [];
  for (const snapshot of names)
    results.push(
      await verifySnapshot(resolve(path, snapshot)).then(
        ({ files, bytes, damage }) => ({ snapshot, files, bytes, damage }),
        (error: unknown) => {
          if (!(error instanceof BackupError)) throw error;
          return { snapshot, files: 0, bytes: 0, damage: [error.message] };
        },
      ),
    );
  if (options.json) printJson(context, results);
  else
    for (const { snapshot, files, bytes, damage } of results) {
      const whole = `whole: ${plural(files, 'file')}, ${formatSize(bytes)}`;
      context.terminal.out(`${snapshot}: ${damage.length === 0 ? whole : 'DAMAGED'}\n`);
      for (const line of damage) context.terminal.out(`  ${line}\n`);
    }
  return results.some(({ damage }) => damage.length > 0) ? exitCodes.damaged : exitCodes.ok;
}

async function list(context: Context, options: CommonOptions, directory: string): Promise<ExitCode> {
  const { readManifest } = await import('../backup/manifest.ts');
  const { snapshotPaths } = await import('../backup/layout.ts');
  const { path, names } = await snapshotsIn(context, directory);
  return explained(async () => {
    for (const name of names) {
      const { files, bytes, posthorn, warnings } = await readManifest(
        snapshotPaths(resolve(path, name)).manifest,
      );
      if (options.json) printJson(context, { name, files, bytes, posthorn, warnings });
      else
        context.terminal.out(
          `${name}  ${plural(files, 'file')}, ${formatSize(bytes)}, by Posthorn ${posthorn}${warnings.length > 0 ? `, ${plural(warnings.length, 'warning')}` : ''}\n`,
        );
    }
    return exitCodes.ok;
  });
}

async function snapshotsIn(
  { terminal }: Context,
  directory: string,
  wanted?: string,
): Promise<{ path: string; names: string[] }> {
  const { listSnapshots } = await import('../backup/directory.ts');
  const path = resolve(terminal.cwd, directory);
  const names = (await listSnapshots(path)).filter((name) => wanted === undefined || name === wanted);
  if (names.length > 0) return { path, names };
  const which = wanted === undefined ? 'no snapshot' : `no snapshot ${wanted}`;
  throw new CommandError(
    exitCodes.noInput,
    `there is ${which} in ${path}. To see what there is: posthorn backup list ${path}`,
  );
}

const codes: Record<BackupError['kind'], ExitCode> = {
  damaged: exitCodes.inputOutput,
  busy: exitCodes.tryLater,
  missing: exitCodes.noInput,
  refused: exitCodes.cantCreate,
};

/** Gives a BackupError its exit code. */
export async function explained<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof BackupError) throw new CommandError(codes[error.kind], error.message);
    throw error;
  }
}
