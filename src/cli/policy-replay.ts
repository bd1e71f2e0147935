/** `posthorn policy replay`: the mail of the past, judged by a configuration that is not live yet. */

import type { Admin } from '../admin/admin.ts';
import type { Config } from '../config/config.ts';
import type { DossierEvent } from '../dossier/event.ts';
import { printable } from '../dossier/printable.ts';
import { dayOf, plural, timeOf } from '../dossier/words.ts';
import { Policies } from '../reception/policies.ts';
import { type Difference, replay } from '../reception/replay.ts';
import { type CommonOptions, type Context, configOf, printJson, withAdmin } from './context.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

export interface ReplayOptions extends CommonOptions {
  /** In ms. */
  since: number;
  server?: string;
}

/** Entries of the log asked for at once. */
const pageSize = 500;

export async function replayPast(context: Context, options: ReplayOptions): Promise<ExitCode> {
  const { terminal, clock } = context;
  const changed = await configOf(context, options, { checkFiles: false });
  const server = options.server === undefined ? options : { ...options, config: options.server };
  const since = clock.now() - options.since;
  // A copy elsewhere has its certificates and keys where it was; none of them is needed.
  const outcome = await withAdmin(
    context,
    server,
    async (admin) => replayAll(admin, await policiesOf(admin, changed), since),
    { checkFiles: false },
  );
  if (options.json) printJson(context, outcome);
  else {
    for (const difference of outcome.differences) terminal.out(`${lineOf(difference)}\n`);
    const { recipients, differences } = outcome;
    const unknown = differences.filter(({ after }) => after === 'unknown').length;
    terminal.out(
      `${plural(recipients, 'recipient')} judged anew: ${differences.length - unknown} different, ${unknown} unknown\n`,
    );
  }
  return exitCodes.ok;
}

/** The mailboxes' own settings are those of today. */
async function policiesOf(admin: Admin, { policies, domains }: Config): Promise<Policies> {
  const accounts = new Map((await admin.listAccounts()).map((account) => [account.address, account]));
  const findAccount = async (address: string) => {
    const account = accounts.get(address);
    return account && { passwordHash: '', ...account };
  };
  return new Policies({ policies, domains, store: { findAccount } });
}

interface Outcome {
  recipients: number;
  differences: Difference[];
}

/** From the newest on. What was written together lies together in the log. */
async function replayAll(admin: Admin, policies: Policies, since: number): Promise<Outcome> {
  const outcome: Outcome = { recipients: 0, differences: [] };
  for (let before: number | undefined; ; ) {
    const page = await admin.listJudged({ ...(before !== undefined && { before }), limit: pageSize });
    for (const events of writtenTogether(page.events.filter(({ at }) => at >= since))) {
      const { recipients, differences } = await replay(events, policies);
      outcome.recipients += recipients;
      outcome.differences.push(...differences);
    }
    if (page.next === undefined || (page.reachedBack ?? 0) < since) return outcome;
    before = page.next;
  }
}

/** A message that was refused at RCPT for one recipient is written for each apart. */
function writtenTogether(events: readonly DossierEvent[]): DossierEvent[][] {
  const groups: DossierEvent[][] = [];
  for (const event of events) {
    const last = groups.at(-1);
    const isNew = event.event === 'accepted' || event.event === 'refused';
    if (last === undefined || isNew || last[0]?.queueId !== event.queueId) groups.push([event]);
    else last.push(event);
  }
  return groups;
}

const lineOf = ({ at, queueId, from, recipient, before, after, rule }: Difference): string =>
  printable(
    `${dayOf(at)} ${timeOf(at)}  ${queueId}  <${from}> to <${recipient}>: ${before} → ${after}. ${rule}`,
  );
