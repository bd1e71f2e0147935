/** The command line as a whole: arguments in, exit code out. Everything that a command throws is explained here. */

import { CommanderError } from 'commander';
import { ownVersion } from '../util/own-version.ts';
import { addAccountCommands } from './account.ts';
import { addAliasCommands } from './alias.ts';
import { addBackupCommands } from './backup.ts';
import { addBanCommands } from './bans.ts';
import { addCheckCommand } from './check.ts';
import { addCompletionCommand } from './completion.ts';
import { addConfigCommands } from './config-check.ts';
import type { Context } from './context.ts';
import { CommandTree } from './define.ts';
import { addDkimCommands } from './dkim.ts';
import { addDnsCommands } from './dns.ts';
import { addDoctorCommand } from './doctor.ts';
import { explain } from './errors.ts';
import { exitCodes } from './exit-codes.ts';
import { addGreylistCommands } from './greylist.ts';
import { addHandoverCommand } from './handover.ts';
import { addManualCommand } from './manual.ts';
import { addPlaygroundCommand } from './play.ts';
import { addPolicyCommands } from './policy.ts';
import { addPreflightCommand } from './preflight.ts';
import { addQueueCommands } from './queue.ts';
import { addQuickstartCommand } from './quickstart.ts';
import { addReceiversCommands } from './receivers.ts';
import { addReloadCommand } from './reload.ts';
import { addReportsCommands } from './reports.ts';
import { addRestoreCommand } from './restore.ts';
import { addSendCommand } from './send.ts';
import { addSendersCommands } from './senders.ts';
import { describeSendmail } from './sendmail/command.ts';
import { sendmail } from './sendmail/sendmail.ts';
import { addServeCommand } from './serve.ts';
import { addSimulateCommand } from './simulate.ts';
import { addStoreCommands } from './store.ts';
import { addSuppressionCommands } from './suppression.ts';
import { addTlsCommands } from './tls.ts';
import { addTraceCommand } from './trace.ts';

/** `args` without the program's name. Never rejects. */
export async function run(args: readonly string[], context: Context): Promise<number> {
  // Its arguments are those of another age.
  if (args[0] === 'sendmail')
    return sendmail(args.slice(1), context.terminal, (command) => run(command, context));
  const tree = commandTree(context, await ownVersion());
  try {
    await tree.root.parseAsync([...args], { from: 'user' });
    return tree.exitCode;
  } catch (error) {
    // Commander has said what it has to say: help, or what is wrong with the arguments.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    const { text, exitCode } = explain(error);
    context.terminal.err(`posthorn: ${text}\n`);
    return exitCode;
  }
}

function commandTree(context: Context, version: string): CommandTree {
  const { terminal } = context;
  const tree = new CommandTree();
  // Before the commands are added: they inherit it.
  tree.root
    .description('A complete mail server that shows its work.')
    .version(version)
    .option('--config <file>', 'configuration file, for every command')
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) })
    .showHelpAfterError('To see what there is: add --help');
  addQuickstartCommand(tree, context);
  addServeCommand(tree, context);
  addReloadCommand(tree, context);
  addHandoverCommand(tree, context);
  addPlaygroundCommand(tree, context);
  addAccountCommands(tree, context);
  addAliasCommands(tree, context);
  addDkimCommands(tree, context);
  addDnsCommands(tree, context);
  addSendCommand(tree, context);
  describeSendmail(tree);
  addTraceCommand(tree, context);
  addCheckCommand(tree, context);
  addPreflightCommand(tree, context);
  addQueueCommands(tree, context);
  addPolicyCommands(tree, context);
  addReceiversCommands(tree, context);
  addReportsCommands(tree, context);
  addSimulateCommand(tree, context);
  addSuppressionCommands(tree, context);
  addBanCommands(tree, context);
  addTlsCommands(tree, context);
  addGreylistCommands(tree, context);
  addSendersCommands(tree, context);
  addStoreCommands(tree, context);
  addBackupCommands(tree, context);
  addRestoreCommand(tree, context);
  addConfigCommands(tree, context);
  addDoctorCommand(tree, context);
  addCompletionCommand(tree, context);
  addManualCommand(tree, context);
  return tree;
}
