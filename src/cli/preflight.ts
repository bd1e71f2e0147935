/** `posthorn preflight`: what a careful receiver will hold against a message, each as a fact with its rule; nothing is sent. */

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { styleText } from 'node:util';
import type { Admin } from '../admin/admin.ts';
import { findServer } from '../admin/open-admin.ts';
import { lookDirectly } from '../delivery/guard/look-directly.ts';
import { knownSites } from '../delivery/route/known-sites.ts';
import { printable } from '../dossier/printable.ts';
import { type Address, addressKey, parseAddress } from '../mail/address.ts';
import type { Finding } from '../preflight/finding.ts';
import { maxDraftOctets, type Preflight } from '../preflight/preflight.ts';
import { type CommonOptions, type Context, configOf, printJson } from './context.ts';
import type { CommandTree } from './define.ts';
import { CommandError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';
import { usesColour } from './trace.ts';

interface PreflightOptions extends CommonOptions {
  to: string;
  from?: string;
}

export function addPreflightCommand(tree: CommandTree, context: Context): void {
  tree.run(
    tree
      .add(
        tree.root,
        'preflight <file>',
        'tell what a careful receiver will hold against a message; nothing is sent. - is standard input',
      )
      .requiredOption('--to <address>', 'for whom it is')
      .option('--from <address>', 'the reverse-path; default: the address in From')
      .option('--json', 'print JSON'),
    async (options: PreflightOptions, file: string) => {
      const found = await look(context, options, file);
      if (options.json) printJson(context, found);
      else show(context, found);
      return found.findings.some(({ severity }) => severity === 'error') ? exitCodes.unwell : exitCodes.ok;
    },
  );
}

async function look(context: Context, options: PreflightOptions, file: string): Promise<Preflight> {
  const draft = {
    octets: await read(context, file),
    to: addressOf(options.to),
    ...(options.from !== undefined && { from: addressKey(addressOf(options.from)) }),
  };
  const config = await configOf(context, options);
  const server = await findServer(config);
  try {
    const { preflightOf } = await import('../preflight/open-preflight.ts');
    return await preflightOf(config, context.clock, {
      draft,
      addresses: await (server?.lookAtSources() ?? lookDirectly(config, context.clock)),
      countDelivered: (site) => countDelivered(server, site),
    });
  } finally {
    await server?.close();
  }
}

async function read({ terminal }: Context, file: string): Promise<Buffer> {
  const octets =
    file === '-' ? await terminal.readInput(maxDraftOctets) : await readFile(resolve(terminal.cwd, file));
  if (octets.length <= maxDraftOctets) return octets;
  const text = `the message has ${octets.length} octets, and no receiver takes more than ${maxDraftOctets}`;
  throw new CommandError(exitCodes.badData, text);
}

function addressOf(text: string): Address {
  const address = parseAddress(text);
  if (address === undefined)
    throw new CommandError(
      exitCodes.usage,
      `"${printable(text)}" is no mail address: write user@example.org`,
    );
  return address;
}

async function countDelivered(
  server: Pick<Admin, 'countDelivered'> | undefined,
  site: string,
): Promise<number | undefined> {
  const hosts = knownSites.find(({ mx }) => mx[0] === site)?.mx ?? [site];
  return (await server?.countDelivered({ hosts: [...hosts] }))?.count;
}

const styles = { good: 'green', notice: 'cyan', warning: 'yellow', error: 'red' } as const;
const order = ['error', 'warning', 'notice', 'good'] as const;

function show(context: Context, { to, from, findings }: Preflight): void {
  const colour = usesColour(context);
  const lines = order.flatMap((severity) =>
    findings.filter((finding) => finding.severity === severity).flatMap((each) => linesOf(each, colour)),
  );
  const count = (severity: Finding['severity']) =>
    findings.filter((finding) => finding.severity === severity).length;
  context.terminal.out(
    [
      `From <${printable(from)}> to <${printable(to)}>: nothing was sent.`,
      '',
      ...lines,
      '',
      `${count('error')} errors, ${count('warning')} warnings, ${count('notice')} notices, ${count('good')} good`,
      '',
    ].join('\n'),
  );
}

function linesOf({ severity, about, fact, rule, remedy, id }: Finding, colour: boolean): string[] {
  const label = severity.padEnd(8);
  const painted = colour ? styleText(styles[severity], label, { validateStream: false }) : label;
  const [first = '', ...more] = fact.split('\n');
  const since = rule?.since === undefined ? '' : `, since ${rule.since}`;
  return [
    `${painted} ${about}: ${printable(first)}  [${id}]`,
    ...more.map((line) => `           ${printable(line)}`),
    ...(rule === undefined ? [] : [`         rule: ${rule.text} (${rule.source}${since})`]),
    ...(remedy === undefined ? [] : [`         ${printable(remedy)}`]),
  ];
}
