/** `posthorn policy`: what is done with mail from outside, and what another configuration would have done with that of the past. */

import { Option } from 'commander';
import type { Config } from '../config/config.ts';
import { type ConditionName, conditionNames, conditions, spell } from '../policy/conditions.ts';
import { type Check, defaultPolicy, type Policy } from '../policy/policy.ts';
import { mailboxWords } from '../reception/lost-policies.ts';
import { type CommonOptions, type Context, configOf, printJson } from './context.ts';
import type { CommandTree } from './define.ts';
import { duration } from './durations.ts';
import { CommandError } from './errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { replayPast } from './policy-replay.ts';
import { policyUsers } from './policy-users.ts';

const weekMs = 7 * 24 * 3600_000;

export function addPolicyCommands(tree: CommandTree, context: Context): void {
  const group = tree.root
    .command('policy')
    .description('what is done with mail from outside: Inbox, Junk, come again, refuse');
  tree.run(
    tree
      .add(group, 'list', 'the policies there are, and the domains and mailboxes that name them')
      .option('--json', 'print JSON'),
    (options) => list(context, options),
  );
  tree.run(
    tree
      .add(group, 'show [name]', 'its checks in order, as posthorn.toml would have them, and who names it')
      .option('--json', 'print JSON'),
    (options, name?: string) => show(context, options, name),
  );
  tree.run(
    tree.add(group, 'conditions', 'all that a check can ask about').option('--json', 'print JSON'),
    (options) => listConditions(context, options),
  );
  tree.run(
    tree
      .add(
        group,
        'replay',
        'judge the mail of the past by the policies of --config, and tell what would be different',
      )
      .addOption(
        new Option('--since <time>', 'how far to go back: 12h, 7d').default(weekMs, '7d').argParser(duration),
      )
      .option('--server <file>', 'configuration of the server whose mail it is (default: that of --config)')
      .option('--json', 'print JSON'),
    (options: CommonOptions & { since: number; server?: string }) => replayPast(context, options),
  );
}

/** One of the name "default" takes the place of the built-in one. */
function all(own: readonly Policy[]): Policy[] {
  const others = own.filter(({ name }) => name !== defaultPolicy.name);
  return [own.find(({ name }) => name === defaultPolicy.name) ?? defaultPolicy, ...others];
}

async function list(context: Context, options: CommonOptions): Promise<ExitCode> {
  const config = await configOf(context, options, { checkFiles: false });
  const users = await policyUsers(context, config);
  const mailboxesOf = (name: string) => users && { mailboxes: users.get(name) ?? [] };
  const listed = all(config.policies).map(({ name, checks }) => ({
    name,
    checks: checks.length,
    domains: domainsOf(config, name),
    ...mailboxesOf(name),
  }));
  const known = new Set(listed.map(({ name }) => name));
  const gone = [...(users ?? [])].map(([name, mailboxes]) => ({ name, isGone: true, mailboxes }));
  const lost = gone.filter(({ name }) => !known.has(name));
  if (options.json) printJson(context, [...listed, ...lost]);
  else {
    for (const { name, checks, domains, mailboxes } of listed)
      context.terminal.out(
        `${name}: ${checks} checks; ${domains.join(', ') || 'no domain'}${named(mailboxes)}\n`,
      );
    for (const { name, mailboxes } of lost)
      context.terminal.out(`${name}: is not in the configuration, and "default" judges${named(mailboxes)}\n`);
  }
  return exitCodes.ok;
}

const domainsOf = ({ domains }: Pick<Config, 'domains'>, policy: string): string[] =>
  domains.filter((domain) => (domain.policy ?? defaultPolicy.name) === policy).map(({ name }) => name);

/** What the mailboxes of a domain are judged by, that name none of their own, is said of the domain. */
const named = (mailboxes: readonly string[] | undefined): string =>
  mailboxes === undefined || mailboxes.length === 0 ? '' : `; mailboxes: ${mailboxWords(mailboxes)}`;

async function show(context: Context, options: CommonOptions, name = defaultPolicy.name): Promise<ExitCode> {
  const config = await configOf(context, options, { checkFiles: false });
  const policies = all(config.policies);
  const policy = policies.find((each) => each.name === name);
  if (policy === undefined)
    throw new CommandError(
      exitCodes.noInput,
      `There is no policy "${name}". There are: ${policies.map((each) => each.name).join(', ')}.`,
    );
  const domains = domainsOf(config, name);
  const users = await policyUsers(context, config);
  const mailboxes = users && (users.get(name) ?? []);
  if (options.json)
    printJson(context, {
      ...policy,
      checks: policy.checks.map(plainCheck),
      domains,
      ...(mailboxes && { mailboxes }),
    });
  else
    context.terminal.out(`# for ${domains.join(', ') || 'no domain'}${named(mailboxes)}\n${asToml(policy)}`);
  return exitCodes.ok;
}

const plainCheck = ({ when, then, score }: Check) => ({
  when: spell(when),
  then,
  ...(then === 'score' && { score }),
});

/** To be pasted, and changed. */
function asToml({ name, junkAt, rejectAt, checks, block, allow }: Policy): string {
  const lines = checks.map((check) => {
    const { when, then, score } = plainCheck(check);
    const sum = score === undefined ? '' : `, score = ${score}`;
    return `  { when = "${when}", then = "${then}"${sum} },\n`;
  });
  return [
    '[[policy]]\n',
    `name = "${name}"\n`,
    `junkAt = ${junkAt}\n`,
    ...(rejectAt === undefined ? [] : [`rejectAt = ${rejectAt}\n`]),
    ...(block === undefined ? [] : [`block = ${JSON.stringify(block)}\n`]),
    ...(allow === undefined ? [] : [`allow = ${JSON.stringify(allow)}\n`]),
    'builtin = false    # the checks below are all; with true, the built-in ones would stand around them\n',
    `checks = [\n${lines.join('')}]\n`,
  ].join('');
}

async function listConditions(context: Context, options: CommonOptions): Promise<ExitCode> {
  const known = conditionNames.map((name) => ({ name: writtenAs(name), about: conditions[name].about }));
  if (options.json) printJson(context, known);
  else for (const { name, about } of known) context.terminal.out(`${name}\n    ${about}\n`);
  return exitCodes.ok;
}

function writtenAs(name: ConditionName): string {
  const { argument } = conditions[name];
  if (argument === undefined) return name;
  const behind = argument.words?.join('|') ?? argument.about;
  return argument.optional ? `${name}[:${behind}]` : `${name}:${behind}`;
}
