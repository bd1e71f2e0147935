/** `posthorn quickstart`: a mail server from nothing, told step by step, and at the end what is left to people: DNS. */

import { resolve } from 'node:path';
import { createStub } from '../delivery/outbound.ts';
import { addressKey, parseAddress, parseDomain } from '../mail/address.ts';
import { systemServers } from '../net/dns-stub.ts';
import { thisMachine } from '../setup/machine.ts';
import { placesFor } from '../setup/places.ts';
import type { Result, Wanted } from '../setup/quickstart.ts';
import { type Progress, SetupError, type StepReport, type StepState } from '../setup/step.ts';
import { type CommonOptions, type Context, printJson } from './context.ts';
import { type CommandTree, collect } from './define.ts';
import { readPublicAddress } from './dns.ts';
import { CommandError } from './errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { closing, isAtHand } from './quickstart-closing.ts';
import type { Terminal } from './terminal.ts';

interface QuickstartOptions extends Omit<CommonOptions, 'config'> {
  user?: string;
  hostname?: string;
  address?: string[];
  prefix?: string;
  systemd: boolean;
  acme: boolean;
}

export function addQuickstartCommand(tree: CommandTree, context: Context): void {
  tree.run(
    tree.root
      .command('quickstart <domain>')
      .description('set up a mail server for a domain: what is there is kept, what is missing is made')
      .option(
        '--user <name>',
        'of an account that there is to be, the part before the @ (default: the first there is, else postmaster)',
      )
      .option('--hostname <name>', 'name of this machine in DNS (default: found out, else mx.DOMAIN)')
      .option(
        '--address <ip>',
        'public address of this machine, where it cannot be seen from here (may be given several times)',
        collect,
      )
      .option('--prefix <directory>', 'put everything below it, as what you are: no system user, no service')
      .option('--no-acme', "ask nobody for certificates (default: Let's Encrypt, to whose terms you agree)")
      .option('--no-systemd', 'install no service, only write down its units')
      .option('--json', 'print JSON'),
    (options: QuickstartOptions, domain: string) => runQuickstart(context, options, domain),
  );
}

async function runQuickstart(
  context: Context,
  options: QuickstartOptions,
  domain: string,
): Promise<ExitCode> {
  const { terminal, clock } = context;
  const wanted = readWanted(options, domain, terminal.cwd);
  const resolver = await createStub({ resolver: [] }, clock);
  const nameServers = (await systemServers()).map(({ address }) => address);
  const machine = await thisMachine({ clock, resolver, nameServers });
  // What sets up a server is most of the program.
  const { quickstart, stepNames } = await import('../setup/quickstart.ts');
  const progress = options.json ? silent : printer(terminal, stepNames);
  const result = await explained(quickstart(wanted, machine, progress));
  if (options.json) printJson(context, result);
  else terminal.out(`${closing(result, wanted.places, await isAtHand(terminal.env.PATH)).join('\n')}\n`);
  return result.steps.some(({ state }) => state === 'failed') ? exitCodes.unwell : exitCodes.ok;
}

function readWanted(options: QuickstartOptions, text: string, cwd: string): Wanted {
  const domain = parseDomain(text);
  if (domain === undefined || !domain.includes('.')) {
    const remedy = 'Give the part after the @ of the addresses that there will be, such as example.com.';
    throw new CommandError(exitCodes.usage, `"${text}" is not a domain. ${remedy}`);
  }
  const { user, hostname, address = [], prefix, systemd, acme } = options;
  const name = hostname === undefined ? undefined : parseDomain(hostname);
  if (hostname !== undefined && !name?.includes('.')) {
    const remedy = `Give the full name of this machine, such as mx.${domain}.`;
    throw new CommandError(exitCodes.usage, `"${hostname}" is not the name of a host. ${remedy}`);
  }
  return {
    domain,
    ...(user !== undefined && { account: readAccount(user, domain) }),
    ...(name !== undefined && { hostname: name }),
    addresses: address.map(readPublicAddress),
    places: placesFor(prefix === undefined ? undefined : resolve(cwd, prefix)),
    installs: systemd,
    usesAcme: acme,
  };
}

/** The part before the @, or the whole address. */
function readAccount(user: string, domain: string): string {
  const address = parseAddress(user.includes('@') ? user : `${user}@${domain}`);
  if (address?.domain === domain) return addressKey(address);
  const remedy = `Give the part before the @, such as --user alice, or an address such as alice@${domain}.`;
  throw new CommandError(exitCodes.usage, `"${user}" cannot be an account of ${domain}. ${remedy}`);
}

async function explained(running: Promise<Result>): Promise<Result> {
  try {
    return await running;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    const code = error.step === 'user' ? exitCodes.noPermission : exitCodes.config;
    throw new CommandError(code, `${error.step}: ${error.message}\n    ${error.remedy}`);
  }
}

const silent: Progress = { begins: () => undefined, ends: () => undefined };

const words: Record<StepState, string> = {
  done: 'made',
  kept: 'kept',
  good: 'ok',
  warning: 'WARN',
  failed: 'FAIL',
  skipped: '-',
};

/** One line for each step; a person sees which one is under way. */
function printer(terminal: Terminal, steps: readonly string[]): Progress {
  const width = Math.max(...steps.map((step) => step.length));
  const head = (step: string) => {
    const number = String(steps.indexOf(step) + 1).padStart(2);
    return `[${number}/${steps.length}] ${step.padEnd(width)}`;
  };
  return {
    begins: (step) => terminal.outIsTty && terminal.out(`${head(step)}  …`),
    ends(report) {
      const lines = stepLines(report, head(report.step));
      terminal.out(`${terminal.outIsTty ? '\r' : ''}${lines.join('\n')}\n`);
    },
  };
}

function stepLines({ state, what, details = [], remedy }: StepReport, head: string): string[] {
  const margin = ' '.repeat(head.length + 8);
  return [
    `${head}  ${words[state].padEnd(4)}  ${what}`,
    ...details.map((line) => `${margin}${line}`),
    ...(remedy?.split('\n') ?? []).map((line, index) => `${margin}${index === 0 ? '→' : ' '} ${line}`),
  ];
}
