/** `posthorn dns`: the DNS records to publish, as a zone file or as a table to paste. */

import { createStub } from '../delivery/outbound.ts';
import { parseDomain } from '../mail/address.ts';
import { addressClass, canonicalAddress, findFamily } from '../net/addresses.ts';
import { readFacts } from '../records/facts.ts';
import { tableText, zoneFileText } from '../records/print.ts';
import { remedyOf, unusableText } from '../records/unusable-file.ts';
import { type RecordFacts, recordsFor, wantedRecords } from '../records/wanted.ts';
import { type CommonOptions, type Context, configOf, printJson } from './context.ts';
import { type CommandTree, collect } from './define.ts';
import { CommandError } from './errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

interface RecordsOptions extends CommonOptions {
  zone?: boolean;
  table?: boolean;
  address?: string[];
}

export function addDnsCommands(tree: CommandTree, context: Context): void {
  const dns = tree.root.command('dns').description('the DNS records that this server needs');
  tree.run(
    tree
      .add(dns, 'records [domain]', 'print the DNS records to publish, for one domain or for all')
      .option('--table', 'as a table to paste into the form of a DNS provider (this is the default)')
      .option('--zone', 'as a zone file')
      .option(
        '--address <ip>',
        'public address of this server, where it cannot be seen from here (may be given several times)',
        collect,
      )
      .option('--json', 'print JSON'),
    (options: RecordsOptions, domain: string | undefined) => printRecords(context, options, domain),
  );
}

async function printRecords(
  context: Context,
  options: RecordsOptions,
  domain: string | undefined,
): Promise<ExitCode> {
  const config = await configOf(context, options, { checkCertificates: false });
  const addresses = options.address?.map(readPublicAddress);
  const isSigned = await isProven(config, context);
  const facts = await readFacts(config, {
    now: context.clock.now(),
    ...(addresses && { addresses }),
    ...(isSigned && { isSigned }),
  });
  const records = domain === undefined ? wantedRecords(facts) : recordsFor(ownDomain(domain, facts), facts);
  const unusable = facts.unusable.map((one) => ({ ...one, remedy: remedyOf(one) }));
  if (options.json) printJson(context, { records, unusable });
  else context.terminal.out(`${options.zone ? zoneFileText(records) : tableText(records)}\n`);
  if (facts.addresses.length === 0) context.terminal.err(`posthorn: ${noAddress}\n`);
  for (const one of facts.unusable) context.terminal.err(`posthorn: ${unusableText(one)}\n`);
  return facts.unusable.length > 0 ? exitCodes.unwell : exitCodes.ok;
}

const noAddress =
  'this machine shows no public address, so A, AAAA and PTR records are missing here. Behind NAT, name both addresses in ' +
  '[[source]], address = "…" (of this machine) and publicAddress = "…" (what others see), or give --address.';

/** What a validating resolver on this machine says of our own name; false where there is none. */
async function isProven(config: Parameters<typeof createStub>[0] & { hostname: string }, { clock }: Context) {
  const answer = await (await createStub(config, clock)).resolve(config.hostname, 'A');
  return answer.status !== 'failed' && answer.authentic;
}

export function readPublicAddress(text: string): string {
  if (findFamily(text) === undefined)
    throw new CommandError(exitCodes.usage, `"${text}" is not an IP address. Give one such as 192.0.2.1.`);
  const address = canonicalAddress(text);
  if (addressClass(address) === 'public') return address;
  throw new CommandError(
    exitCodes.usage,
    `${address} is not public: nobody outside can reach it. Give one that is.`,
  );
}

function ownDomain(text: string, { domains }: RecordFacts): string {
  const domain = parseDomain(text);
  if (domain !== undefined && domains.some(({ name }) => name === domain)) return domain;
  const known = domains.map(({ name }) => name).join(', ') || 'none';
  throw new CommandError(
    exitCodes.noUser,
    `"${text}" is no [[domain]] of the configuration. Known are: ${known}.`,
  );
}
