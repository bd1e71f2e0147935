/** `posthorn account set` and `account forward`: what holds for one mailbox. */

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { SettingsChange } from '../admin/shapes/accounts.ts';
import { plural } from '../dossier/words.ts';
import type { AccountSettings } from '../store/account-store.ts';
import { keyOf } from './address-key.ts';
import { type CommonOptions, type Context, printJson, withAdmin } from './context.ts';
import { type CommandTree, collect } from './define.ts';
import { CommandError } from './errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { formatSize, parseSize } from './sizes.ts';
import { once, someText } from './texts.ts';

interface SetOptions extends CommonOptions {
  receive?: boolean;
  send?: boolean;
  quota?: number | 'default';
  /** false: --no-policy. */
  policy?: string | false;
  hourlyRecipients?: number | 'default';
  appPasswordsOnly?: boolean;
}

interface ForwardOptions extends CommonOptions {
  to?: string[];
  keep?: boolean;
  off?: boolean;
}

export function addSettingsCommands(tree: CommandTree, account: Command, context: Context): void {
  const set = tree
    .add(
      account,
      'set <address>',
      'switch receiving and sending on and off, and say how much it may hold and how its mail is judged',
    )
    .option('--receive <on|off>', 'mail can be sent to it', once(onOrOff))
    .option('--send <on|off>', 'its user can submit mail', once(onOrOff))
    .option('--quota <size>', 'such as 500M or 2G; "default" is as the domain has it', once(quota))
    .option(
      '--policy <name>',
      'by which mail from outside is judged for it; see: posthorn policy list',
      once(someText),
    )
    .addOption(new Option('--no-policy', 'it is judged as its domain is').argParser(once(() => false)))
    .option(
      '--hourly-recipients <number>',
      'recipients within an hour, before what it sends is held; "none": never; "default"',
      once(hourlyRecipients),
    )
    .option(
      '--app-passwords-only <on|off>',
      'mail programs log in by app passwords, not by its own',
      once(onOrOff),
    )
    .option('--json', 'print JSON');
  tree.run(
    set,
    (
      { receive, send, quota, policy, hourlyRecipients, appPasswordsOnly, ...options }: SetOptions,
      address: string,
    ) =>
      change(context, options, {
        address,
        ...(receive !== undefined && { receive }),
        ...(send !== undefined && { send }),
        ...(quota !== undefined && { quotaBytes: orNull(quota) }),
        ...(policy !== undefined && { policy: policy === false ? null : policy }),
        ...(hourlyRecipients !== undefined && { hourlyRecipients: orNull(hourlyRecipients) }),
        ...(appPasswordsOnly !== undefined && { appPasswordsOnly }),
      }),
  );
  const forward = tree
    .add(account, 'forward <address>', 'its mail goes on to other addresses; junk stays in its Junk folder')
    .option('--to <address>', 'where to; may be given several times', collect)
    .option('--keep', 'a copy stays in the account')
    .option('--off', 'its mail stays here')
    .option('--json', 'print JSON');
  tree.run(forward, (options: ForwardOptions, address: string) => setForward(context, options, address));
}

function setForward(
  context: Context,
  { to, keep, off, ...options }: ForwardOptions,
  address: string,
): Promise<ExitCode> {
  if ((to === undefined) === (off === undefined))
    throw new CommandError(exitCodes.usage, 'say where to, by --to ADDRESS, or --off.');
  if (off && keep)
    throw new CommandError(exitCodes.usage, 'with --off all mail stays here; --keep goes with --to.');
  const forward = to === undefined ? null : { to, keep: keep === true };
  return change(context, options, { address, forward });
}

async function change(context: Context, options: CommonOptions, request: SettingsChange): Promise<ExitCode> {
  if (Object.keys(request).length === 1)
    throw new CommandError(
      exitCodes.usage,
      'nothing is to be set: give --receive, --send, --quota, --policy, --hourly-recipients or --app-passwords-only.',
    );
  const settings = await withAdmin(context, options, (admin) => admin.changeSettings(request));
  const address = keyOf(request.address);
  if (options.json) printJson(context, { address, settings });
  else context.terminal.out(`${address}: ${describeSettings(settings) || 'nothing special'}\n`);
  return exitCodes.ok;
}

/** In words, what is not as everywhere; '' where there is nothing to say. */
export function describeSettings({
  receive,
  send,
  quotaBytes,
  policy,
  forward,
  hourlyRecipients: most,
  suspended,
  appPasswordsOnly,
}: AccountSettings): string {
  return [
    ...(suspended
      ? [
          `suspended since ${new Date(suspended.at).toISOString().slice(0, 10)}${suspended.refusesMail ? ', and refuses mail' : ''}`,
        ]
      : []),
    ...(appPasswordsOnly ? ['mail programs log in by app passwords only'] : []),
    ...(receive === false ? ['receives nothing'] : []),
    ...(send === false ? ['sends nothing'] : []),
    ...(quotaBytes === undefined ? [] : [`may hold ${formatSize(quotaBytes)}`]),
    ...(policy === undefined ? [] : [`judged by the policy "${policy}"`]),
    ...(most === undefined
      ? []
      : [
          most === 0
            ? 'never held, however much it sends'
            : `held above ${plural(most, 'recipient')} within an hour`,
        ]),
    ...(forward ? [`goes on to ${forward.to.join(', ')}${forward.keep ? ', with a copy here' : ''}`] : []),
  ].join('; ');
}

function onOrOff(value: string): boolean {
  if (value === 'on' || value === 'off') return value === 'on';
  throw new InvalidArgumentError('Say on or off.');
}

/** As a request has it. Commander would read null from a parser as ''. */
const orNull = (value: number | 'default'): number | null => (value === 'default' ? null : value);

function quota(value: string): number | 'default' {
  if (value === 'default') return value;
  const bytes = parseSize(value);
  if (bytes !== undefined) return bytes;
  throw new InvalidArgumentError('Give a size such as 500M or 2G, or default.');
}

const maxHourly = 10_000_000;

function hourlyRecipients(value: string): number | 'default' {
  if (value === 'default') return value;
  if (value === 'none') return 0;
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (number >= 1 && number <= maxHourly) return number;
  throw new InvalidArgumentError(`Give a number from 1 to ${maxHourly}, none or default.`);
}
