/** `posthorn queue suspend` and `resume`: nothing is tried of a domain, a receiving site, or at all. */

import { type Command, Option } from 'commander';
import { printable } from '../dossier/printable.ts';
import { durationOf } from '../dossier/words.ts';
import { type Suspension, type SuspensionScope, suspendedWhat } from '../queue/suspensions.ts';
import { type CommonOptions, type Context, printJson, withAdmin } from './context.ts';
import type { CommandTree } from './define.ts';
import { duration } from './durations.ts';
import { CommandError } from './errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { operatorName } from './operator-name.ts';
import { once, reasonText, someText } from './texts.ts';

interface ScopeOptions extends CommonOptions {
  all?: boolean;
  domain?: string;
  site?: string;
}

interface SuspendOptions extends ScopeOptions {
  for?: number;
  reason?: string;
}

export function addSuspensionCommands(tree: CommandTree, context: Context, queue: Command): void {
  const scoped = (usage: string, description: string) =>
    tree
      .add(queue, usage, description)
      .option('--all', 'all delivery, into mailboxes here too')
      .option('--domain <domain>', 'mail to this domain', once(someText))
      .option(
        '--site <host>',
        'a receiving site: one of its MX hosts, or the domain that they lie in; local: here',
        once(someText),
      )
      .option('--json', 'print JSON');

  tree.run(
    scoped('suspend', 'try nothing, of new mail too, until it is resumed; without options: what is suspended')
      .addOption(new Option('--for <time>', 'it ends by itself: 30m, 2h, 5d').argParser(once(duration)))
      .option('--reason <text>', 'stands in dossiers, and in the list of the queue', once(reasonText)),
    (options: SuspendOptions) => suspend(context, options),
  );
  tree.run(scoped('resume', 'end a suspension'), (options: ScopeOptions) => resume(context, options));
}

async function suspend(context: Context, options: SuspendOptions): Promise<ExitCode> {
  const { terminal, clock } = context;
  const by = operatorName(terminal.env);
  const scope = scopeOf(options);
  if (scope === undefined) return list(context, options);
  const suspension = await withAdmin(context, options, (admin) =>
    admin.suspend({
      ...scope,
      by,
      ...(options.for !== undefined && { until: clock.now() + options.for }),
      ...(options.reason !== undefined && { reason: options.reason }),
    }),
  );
  if (options.json) printJson(context, suspension);
  else terminal.out(`${lineOf(suspension, clock.now())}\nWhat is under way ends as it does.\n`);
  return exitCodes.ok;
}

async function list(context: Context, options: SuspendOptions): Promise<ExitCode> {
  if (options.for !== undefined || options.reason !== undefined) throw suspendWhat('suspend');
  const suspensions = await withAdmin(context, options, (admin) => admin.listSuspensions());
  const { terminal, clock } = context;
  if (options.json) printJson(context, suspensions);
  else if (suspensions.length === 0) terminal.out('Nothing is suspended.\n');
  else for (const suspension of suspensions) terminal.out(`${lineOf(suspension, clock.now())}\n`);
  return exitCodes.ok;
}

async function resume(context: Context, options: ScopeOptions): Promise<ExitCode> {
  const { terminal } = context;
  const scope = scopeOf(options);
  if (scope === undefined) throw suspendWhat('resume');
  const by = operatorName(terminal.env);
  const { resumed } = await withAdmin(context, options, (admin) => admin.resume({ ...scope, by }));
  if (options.json) printJson(context, { resumed });
  else if (resumed) terminal.out(`${suspendedWhat(scope)}: resumed\n`);
  if (resumed) return exitCodes.ok;
  terminal.err(`posthorn: ${suspendedWhat(scope)} is not suspended. What is: posthorn queue suspend\n`);
  return exitCodes.noInput;
}

/** The one that the options name; undefined without any. */
function scopeOf({ all, domain, site }: ScopeOptions): Pick<Suspension, 'scope' | 'name'> | undefined {
  const given: [SuspensionScope, string][] = [];
  if (all) given.push(['all', '']);
  if (domain !== undefined) given.push(['domain', domain]);
  if (site !== undefined) given.push(['site', site]);
  if (given.length > 1)
    throw new CommandError(exitCodes.usage, 'Give one of --all, --domain and --site at a time.');
  const [first] = given;
  return first && { scope: first[0], name: first[1] };
}

const suspendWhat = (verb: string) =>
  new CommandError(exitCodes.usage, `${verb} what? Use --all, --domain or --site.`);

function lineOf(suspension: Suspension, now: number): string {
  const { by, at, until, reason } = suspension;
  const since = now - at < 1000 ? '' : ` ${durationOf(now - at)} ago`;
  const end = until === undefined ? 'until it is resumed' : `for another ${durationOf(until - now)}`;
  const why = reason === undefined ? '' : `: ${reason}`;
  return printable(`${suspendedWhat(suspension)}: suspended${since} by ${by}, ${end}${why}`);
}
