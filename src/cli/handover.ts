/** `posthorn handover`: another process takes over from the running server, and no connection is refused meanwhile. */

import type { Admin } from '../admin/admin.ts';
import { AdminError } from '../admin/admin-error.ts';
import { findAsAdministrator } from '../admin/open-admin.ts';
import type { Config } from '../config/config.ts';
import { type Clock, sleep } from '../util/clock.ts';
import { type CommonOptions, type Context, configOf, printJson } from './context.ts';
import type { CommandTree } from './define.ts';
import { CommandError } from './errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

export function addHandoverCommand(tree: CommandTree, context: Context): void {
  tree.run(
    tree
      .add(
        tree.root,
        'handover',
        'start the server anew in another process, which takes over its connections to come',
      )
      .option('--json', 'print JSON'),
    (options) => handOver(context, options),
  );
}

/** Sessions and deliveries come to their end, and the store is opened, be it with a change of its layout. */
const patienceMs = 11 * 60_000;
const pauseMs = 100;

async function handOver(context: Context, options: CommonOptions): Promise<ExitCode> {
  const { clock, terminal } = context;
  const config = await configOf(context, options, { checkFiles: false });
  const [before, begun] = await asking(config, async (admin) => [
    await admin.whoRuns(),
    await admin.handOver(),
  ]);
  const after = await waitForEnd(config, { before: before.pid, successor: begun.pid, clock });
  if (after !== begun.pid)
    throw new CommandError(
      exitCodes.tryLater,
      `The new process has failed, and process ${before.pid} goes on. Its log says why.`,
    );
  if (options.json) printJson(context, { pid: after, before: before.pid });
  else terminal.out(`Process ${after} has taken over from ${before.pid}.\n`);
  return exitCodes.ok;
}

async function asking<T>(config: Config, ask: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = await findAsAdministrator(config);
  if (admin === undefined)
    throw new AdminError('no-server', `No server runs on ${config.dataDir}. Start it with: posthorn serve.`);
  try {
    return await ask(admin);
  } finally {
    await admin.close();
  }
}

/** Nobody answers while neither has the store. Resolves to the process that has it then. */
async function waitForEnd(
  config: Config,
  { before, successor, clock }: { before: number; successor: number; clock: Clock },
): Promise<number> {
  const giveUpAt = clock.now() + patienceMs;
  for (; clock.now() < giveUpAt; await sleep(clock, pauseMs)) {
    const answer = await whoAnswers(config);
    if (answer?.pid === successor) return successor;
    if (answer?.pid === before && !answer.isHandingOver) return before;
  }
  throw new CommandError(exitCodes.tryLater, `Process ${successor} has not taken over yet. Look at its log.`);
}

async function whoAnswers(config: Config): Promise<Awaited<ReturnType<Admin['whoRuns']>> | undefined> {
  try {
    return await asking(config, (admin) => admin.whoRuns());
  } catch (error) {
    if (error instanceof AdminError && (error.code === 'no-server' || error.code === 'connection'))
      return undefined;
    throw error;
  }
}
