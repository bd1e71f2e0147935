/** `posthorn reports`: what others report of us. Who sends as us, how they find our TLS, and who complains. */

import { Option } from 'commander';
import type { Admin } from '../admin/admin.ts';
import { printable } from '../dossier/printable.ts';
import { dayOf, plural } from '../dossier/words.ts';
import type { DmarcSource, DmarcSummary } from '../reporting/inbox/dmarc-summary.ts';
import type { ReportKind, StoredReport } from '../store/report-store.ts';
import { type CommonOptions, type Context, printJson, withAdmin } from './context.ts';
import type { CommandTree } from './define.ts';
import { duration } from './durations.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { abuseLines, tlsLines, unreadableLines } from './reports-words.ts';

interface ReportOptions extends CommonOptions {
  domain?: string;
  since: number;
  unproven?: boolean;
}

const day = 24 * 3600_000;
const defaultSinceMs = 7 * day;
/** Reports that are asked for at once, and of which the commands tell at most. */
const [pageSize, maxTold] = [100, 10_000];

export function addReportsCommands(tree: CommandTree, context: Context): void {
  const group = tree.root.command('reports').description('what others report of us');
  const command = (name: string, description: string) =>
    tree
      .add(group, name, description)
      .addOption(
        new Option('--since <time>', 'reports on this last time: 24h, 30d')
          .default(defaultSinceMs, 'a week')
          .argParser(duration),
      )
      .option('--json', 'print JSON');
  const ofDomain = 'only of this domain of ours';
  tree.run(
    command('dmarc', 'who sends mail in our name, and whether it passes')
      .option('--domain <domain>', ofDomain)
      .option('--unproven', 'count reports that nobody is proven to have sent, too'),
    (options: ReportOptions) => dmarc(context, options),
  );
  const told: [ReportKind, string, (report: StoredReport) => string[]][] = [
    ['tls', 'how others find TLS to our mail servers', tlsLines],
    ['abuse', 'who complains of which message', abuseLines],
    ['unreadable', 'what came as a report and could not be read, and why', unreadableLines],
  ];
  for (const [kind, description, lines] of told) {
    const one = command(kind, description);
    if (kind === 'tls') one.option('--domain <domain>', ofDomain);
    tree.run(one, (options: ReportOptions) => list(context, options, { kind, lines }));
  }
}

async function dmarc(context: Context, options: ReportOptions): Promise<ExitCode> {
  const { clock, terminal } = context;
  const since = clock.now() - options.since;
  const { domain, unproven } = options;
  const request = { since, ...(domain !== undefined && { domain }), ...(unproven && { unproven }) };
  const summary = await withAdmin(context, options, (admin) => admin.dmarcSummary(request));
  if (options.json) printJson(context, summary);
  else for (const line of dmarcLines(summary, since)) terminal.out(`${printable(line)}\n`);
  return exitCodes.ok;
}

function* dmarcLines(summary: DmarcSummary, since: number): Iterable<string> {
  const { reports, organizations, messages, passed, sources, moreSources, errors, unproven } = summary;
  if (reports === 0) yield `No DMARC report on what was since ${dayOf(since)}.`;
  else {
    const by = organizations.map((each) => `${each.name} (${each.reports})`).join(', ');
    yield `${plural(reports, 'report')} on what was since ${dayOf(since)}, of ${by}`;
    yield `${plural(messages, 'message')} in our name, of which ${passed} pass DMARC and ${messages - passed} do not`;
  }
  for (const source of sources) yield* sourceLines(source);
  if (moreSources > 0) yield `and ${plural(moreSources, 'more source')}`;
  for (const error of errors) yield `wrong with our record: ${error}`;
  if (unproven > 0)
    yield `${plural(unproven, 'report')} that nobody is proven to have sent: not counted. To count: --unproven`;
}

function* sourceLines(each: DmarcSource): Iterable<string> {
  const { source, headerFrom, messages, passed, dkimAligned, spfAligned, quarantined, rejected } = each;
  const word =
    passed === messages ? 'pass' : passed === 0 ? 'FAIL' : `${passed} pass, ${messages - passed} FAIL`;
  const done = [
    ...(quarantined > 0 ? [`${quarantined} quarantined`] : []),
    ...(rejected > 0 ? [`${rejected} rejected`] : []),
  ];
  yield '';
  yield `${source}  as ${headerFrom}  ${plural(messages, 'message')}: ${[word, ...done].join(', ')}`;
  yield `    aligned DKIM ${dkimAligned}, aligned SPF ${spfAligned}`;
  if (each.dkim.length > 0) yield `    DKIM: ${each.dkim.join(', ')}`;
  if (each.spf.length > 0) yield `    SPF: ${each.spf.join(', ')}`;
  if (each.reasons.length > 0) yield `    policy not followed: ${each.reasons.join(', ')}`;
  yield `    reported by ${each.reporters.join(', ')}`;
}

interface Listing {
  kind: ReportKind;
  lines(report: StoredReport): string[];
}

async function list(context: Context, options: ReportOptions, { kind, lines }: Listing): Promise<ExitCode> {
  const since = context.clock.now() - options.since;
  const reports = await withAdmin(context, options, (admin) =>
    readAll(admin, { kind, since, domain: options.domain }),
  );
  if (options.json) printJson(context, reports);
  else if (reports.length === 0) context.terminal.out(`Nothing of the kind since ${dayOf(since)}.\n`);
  else
    for (const report of reports)
      for (const line of lines(report)) context.terminal.out(`${printable(line)}\n`);
  return exitCodes.ok;
}

async function readAll(
  admin: Admin,
  { kind, since, domain }: { kind: ReportKind; since: number; domain: string | undefined },
): Promise<StoredReport[]> {
  const all: StoredReport[] = [];
  const request = { kind, since, limit: pageSize, ...(domain !== undefined && { domain }) };
  for (let after: number | undefined = 0; after !== undefined && all.length < maxTold; ) {
    const page: Awaited<ReturnType<Admin['listReports']>> = await admin.listReports({ ...request, after });
    all.push(...page.reports);
    after = page.next;
  }
  return all;
}
