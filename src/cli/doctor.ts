/**
 * `posthorn doctor`: what is wrong with this server before mail shows it, each finding with its remedy and the record to
 * enter. A running server is asked and remembers the answer; without one, we look ourselves.
 */

import { remoteAdmin } from '../admin/control-client.ts';
import { controlPath } from '../admin/open-admin.ts';
import type { Config } from '../config/config.ts';
import { type Advice, adviceOn } from '../delivery/guard/advice.ts';
import { Guard, type SourceReport } from '../delivery/guard/guard.ts';
import { createStub } from '../delivery/outbound.ts';
import { domainsWithoutSource, sourceRemedy } from '../delivery/route/sources.ts';
import { printable } from '../dossier/printable.ts';
import { findFamily } from '../net/addresses.ts';
import { createLog } from '../util/log.ts';
import { type CommonOptions, type Context, configOf, printJson } from './context.ts';
import type { CommandTree } from './define.ts';
import { filterSection } from './doctor-filters.ts';
import { listSection } from './doctor-lists.ts';
import { policySection } from './doctor-policies.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

/** One thing that was looked at: all that was found of it. */
export interface Examined {
  name: string;
  /** In words, what follows for it. */
  verdict: string;
  findings: readonly (Advice & { isUnknown: boolean })[];
  /** No address of ours, but a domain. */
  isDomain?: true;
}

export interface Section {
  section: string;
  examined: readonly Examined[];
}

export function addDoctorCommand(tree: CommandTree, context: Context): void {
  tree.run(
    tree
      .add(tree.root, 'doctor', 'say what is wrong with this server and its DNS, and how to mend it')
      .option('--json', 'print JSON'),
    async (options: CommonOptions) => {
      const config = await configOf(context, options);
      const resolver = await createStub(config, context.clock);
      const [{ sources, accounts }, ...others] = await Promise.all([
        askServer(config, context),
        listSection(config, { resolver, clock: context.clock }),
        filterSection(config, context.clock),
      ]);
      const sections = [
        sourceSection(sources, config),
        ...[policySection(accounts, config), ...others].filter((section) => section !== undefined),
      ];
      if (options.json) printJson(context, { sections });
      else context.terminal.out(`${sections.flatMap(sectionText).join('\n')}\n`);
      return exitCodeFor(sections);
    },
  );
}

/** Without a server nothing is asked of its data. */
async function askServer(config: Config, { clock }: Context) {
  const server = await remoteAdmin(controlPath(config));
  if (server === undefined) {
    const resolver = await createStub(config, clock);
    const sources = await new Guard({ config, resolver, clock, log: createLog('silent') }).look();
    return { sources, accounts: [] };
  }
  try {
    const [sources, accounts] = await Promise.all([server.lookAtSources(), server.listAccounts()]);
    return { sources, accounts };
  } finally {
    await server.close();
  }
}

export function sourceSection(
  reports: readonly SourceReport[],
  config: Pick<Config, 'guard' | 'sources' | 'domains'>,
): Section {
  const section = 'source addresses';
  const families = reports.map(({ address }) => findFamily(address));
  const examined = reports.map((report, index) => {
    const isOneOfMany = families.filter((family) => family === families[index]).length > 1;
    return examinedOf(report, { ...config.guard, isChosen: config.sources.length === 0 && isOneOfMany });
  });
  const unsent = domainsWithoutSource(config).map(withoutSource);
  return { section, examined: [...(examined.length === 0 ? [noAddress] : examined), ...unsent] };
}

const withoutSource = (domain: string): Examined => ({
  name: domain,
  verdict: 'what it sends by MX waits',
  isDomain: true,
  findings: [
    {
      severity: 'error',
      what: 'our own address',
      evidence: 'no [[source]] is for this domain',
      remedy: sourceRemedy(domain),
      isUnknown: false,
    },
  ],
});

/** `isChosen`: by the system, from several. */
function examinedOf(
  report: SourceReport,
  { enabled, isChosen }: { enabled: boolean; isChosen: boolean },
): Examined {
  const { address, publicAddress, ehloName, findings, standing } = report;
  const seen = publicAddress === address ? '' : `, seen as ${publicAddress}`;
  return {
    name: `${address}${seen}, called ${ehloName}`,
    verdict: `${enabled ? verdictOf(standing) : 'mail is sent from here whatever is found: the guard is off'}${
      isChosen && standing.isFit ? ', where the system chooses it: name those to send from in [[source]]' : ''
    }`,
    findings: findings.map((finding) => ({
      ...adviceOn(finding),
      isUnknown: finding.result === 'unknown' && finding.check !== 'blocklist',
    })),
  };
}

function verdictOf({ isFit, rank }: SourceReport['standing']): string {
  if (!isFit) return 'disqualified: not used while another address qualifies';
  return rank === 0 ? 'mail is sent from here' : 'mail is sent from here, but from others first';
}

const noAddress: Examined = {
  name: 'this machine',
  verdict: 'nothing could be looked at',
  findings: [
    {
      severity: 'warning',
      what: 'our own address',
      evidence: 'this machine has no public address, and the configuration names none',
      remedy:
        'Behind NAT, name both: [[source]] with address = "…" (of this machine) and publicAddress = "…" (what receivers see).',
      isUnknown: false,
    },
  ],
};

function exitCodeFor(sections: readonly Section[]): ExitCode {
  const findings = sections.flatMap(({ examined }) => examined.flatMap((each) => each.findings));
  if (findings.some(({ severity }) => severity === 'error')) return exitCodes.unwell;
  return findings.some(({ isUnknown }) => isUnknown) ? exitCodes.tryLater : exitCodes.ok;
}

const margin = '             ';

export function sectionText({ section, examined }: Section): string[] {
  const shared = new Set(sharedBy(examined));
  const own = (findings: Examined['findings']) =>
    findings.map((finding) => findingText(finding)).filter((lines) => !shared.has(lines.join('\n')));
  return [
    `${section[0]?.toUpperCase()}${section.slice(1)}`,
    ...examined.flatMap(({ name, verdict, findings }) => [
      `  ${printable(name)}: ${verdict}`,
      ...own(findings).flat(),
    ]),
    ...(shared.size === 0 ? [] : ['  all addresses:', ...shared]),
  ];
}

/** The text of what was found of each and every address: it is said once. */
function sharedBy(examined: readonly Examined[]): string[] {
  const [first, ...others] = examined
    .filter(({ isDomain }) => !isDomain)
    .map(({ findings }) => findings.map((finding) => findingText(finding).join('\n')));
  if (first === undefined || others.length === 0) return [];
  return first.filter((text) => others.every((texts) => texts.includes(text)));
}

function findingText({ severity, what, evidence, remedy, record }: Advice): string[] {
  return [
    `    ${severity.padEnd(9)}${printable(what)}: ${printable(evidence)}`,
    ...(record === undefined ? [] : [`${margin}enter: ${printable(record)}`]),
    ...(remedy === undefined ? [] : [`${margin}${remedy}`]),
  ];
}
