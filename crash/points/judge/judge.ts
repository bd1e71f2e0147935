/**
 * Compares what was promised with what is there after a restart: nothing acknowledged is missing, nothing is half, nothing
 * came twice but for an attempt in flight that the dossier calls in doubt.
 */

import type { Findings, FoundMail } from '../restart/findings.ts';
import { fateOf, type Letter, octetsOf, tokenIn } from '../script/letters.ts';
import { errand, type Ledger } from './ledger.ts';

export type Wrong =
  /** The server does not start, or does not come to its end. */
  | 'start'
  | 'missing'
  | 'half'
  | 'twice'
  /** Something that was done is undone: a deletion, an account, an outcome that was told. */
  | 'undone'
  /** Left lying about. */
  | 'rubbish';

export interface Verdict {
  wrong: Wrong;
  text: string;
}

/** All that can be said of findings before one knows what had been promised. */
export interface Evidence {
  findings: Findings;
  verdicts: readonly Verdict[];
  /** By token: the copies of a letter, and the reports about it. A name that stands in two places is one message. */
  letters: ReadonlyMap<string, readonly FoundMail[]>;
  reports: ReadonlyMap<string, readonly FoundMail[]>;
}

export class Judge {
  readonly #letters: ReadonlyMap<string, Letter>;
  /** As a Maildir and as SMTP have them. */
  readonly #stored = new Map<string, Buffer>();
  readonly #wire = new Map<string, Buffer>();

  constructor(letters: readonly Letter[]) {
    this.#letters = new Map(letters.map((letter) => [letter.token, letter]));
    for (const letter of letters) {
      const octets = octetsOf(letter);
      this.#wire.set(letter.token, octets);
      this.#stored.set(
        letter.token,
        Buffer.from(octets.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'),
      );
    }
  }

  /** Sorts what was found, and looks whether it is whole. */
  examine(findings: Findings): Evidence {
    const names = new Map(findings.mail.map((found) => [`${found.account} ${baseName(found)}`, found]));
    const mail = [...names.values()];
    const reports = mail.filter(isReport);
    const letters = mail.filter((found) => !isReport(found));
    const verdicts = [...startVerdicts(findings), ...this.#wholeness(letters, reports, findings.sent)];
    return { findings, letters: byToken(letters), reports: byToken(reports), verdicts };
  }

  /** Everything that is wrong with what was found, given what had been promised. */
  judge(ledger: Ledger, evidence: Evidence): Verdict[] {
    if (evidence.findings.failure !== undefined) return [...evidence.verdicts];
    return [
      ...evidence.verdicts,
      ...accountsOf(ledger, evidence),
      ...dossiersOf(ledger, evidence),
      ...[...this.#letters.values()].flatMap((letter) =>
        letter.to.flatMap((recipient) =>
          judgements[fateOf(recipient)](letter, recipient, { ...evidence, ledger }),
        ),
      ),
    ];
  }

  #wholeness(
    letters: readonly FoundMail[],
    reports: readonly FoundMail[],
    sent: Findings['sent'],
  ): Verdict[] {
    return [
      ...reports.filter((found) => !isWholeFile(found)).map(halfFile),
      ...letters.filter((found) => !isWholeFile(found) || !this.#isWholeLetter(found)).map(halfFile),
      ...sent
        .filter(({ token, octets }) => !endsWith(octets, this.#wire.get(token)))
        .map(({ token }) => wrong('half', `${token} was sent in part`)),
    ];
  }

  /** A notice to the postmaster is no letter, and has no token. */
  #isWholeLetter({ octets }: FoundMail): boolean {
    const token = tokenIn(octets);
    return token === undefined || endsWith(octets, this.#stored.get(token));
  }
}

type Case = Evidence & { ledger: Ledger };

const lineFeed = 0x0a;

const wrong = (kind: Wrong, text: string): Verdict => ({ wrong: kind, text });

const isReport = ({ octets }: FoundMail): boolean => octets.includes('multipart/report');

const byToken = (mail: readonly FoundMail[]) => Map.groupBy(mail, ({ octets }) => tokenIn(octets) ?? '');

/** Without flags: a power cut in the middle of a move from new/ to cur/ can leave both names. */
const baseName = ({ name }: FoundMail): string => name.replace(/:2,.*$/, '');

/** A file that a mail program could see must be as long as it says, and hold no zeros for octets that never landed. */
function isWholeFile({ name, octets }: FoundMail): boolean {
  const size = Number(/,S=(\d+)/.exec(name)?.[1] ?? Number.NaN);
  return octets.length === size && !octets.includes(0) && octets.at(-1) === lineFeed;
}

const halfFile = ({ name, account, octets }: FoundMail): Verdict =>
  wrong('half', `${name} of ${account} is not whole: ${octets.length} octets`);

function startVerdicts({ failure, check, unfinished, spool }: Findings): Verdict[] {
  if (failure !== undefined) return [wrong('start', failure)];
  return [
    ...(check === 'ok' ? [] : [wrong('start', `quick_check says ${check}`)]),
    ...unfinished.map((recipient) => wrong('start', `a job to ${recipient} does not end`)),
    ...spool.map((name) => wrong('rubbish', `spool/${name} belongs to nothing`)),
  ];
}

function endsWith(octets: Buffer, end: Buffer | undefined): boolean {
  return (
    end !== undefined &&
    end.length > 0 &&
    octets.length > end.length &&
    octets.subarray(-end.length).equals(end)
  );
}

function mailbox({ token }: Letter, recipient: string, { ledger, letters }: Case): Verdict[] {
  const copies = letters.get(token)?.filter(({ account }) => account === recipient).length ?? 0;
  return deposited(`${token} to ${recipient}`, token, copies, ledger);
}

/** A recipient who was refused for good: the sender has one report in his mailbox. */
function bounce({ token, from }: Letter, _: string, { ledger, reports }: Case): Verdict[] {
  const copies = reports.get(token)?.filter(({ account }) => account === from).length ?? 0;
  return deposited(`the report on ${token} to ${from}`, token, copies, ledger);
}

function deposited(what: string, token: string, copies: number, ledger: Ledger): Verdict[] {
  if (copies > 1) return [wrong('twice', `${what}: ${copies} messages in the mailbox`)];
  if (ledger.deleted.has(token) && copies > 0) return [wrong('undone', `${what}: deleted, and there again`)];
  if (copies === 1 || ledger.deleting.has(token) || !ledger.acknowledged.has(token)) return [];
  return [wrong('missing', `${what}: not in the mailbox`)];
}

function remote({ token }: Letter, recipient: string, { ledger, findings }: Case): Verdict[] {
  const key = errand(token, recipient);
  const before = ledger.relayed.get(key) ?? 0;
  const after = findings.sent.filter(
    (taken) => taken.token === token && taken.recipients.includes(recipient),
  ).length;
  const queueId = ledger.acknowledged.get(token);
  if (queueId === undefined) return after > 1 ? [wrong('twice', `${key}: sent ${after} times`)] : [];
  if (before + after === 0) return [wrong('missing', `${key}: neither sent nor queued`)];
  const interruptions = (ledger.interrupted.get(key) ?? 0) + (ledger.inFlight.has(key) ? 1 : 0);
  if (before + after > 1 + interruptions) {
    const times = `sent ${before} times before and ${after} times after the restart`;
    return [wrong('twice', `${key}: ${times}, with ${interruptions} attempts interrupted`)];
  }
  if (after > 0 && ledger.inFlight.has(key) && !isInDoubt(findings, queueId, recipient))
    return [wrong('twice', `${key}: sent again, and the dossier does not call it in doubt`)];
  return [];
}

const judgements = { mailbox, remote, bounce };

const isInDoubt = ({ dossiers }: Findings, queueId: string, recipient: string): boolean =>
  dossiers.get(queueId)?.some((line) => line.event === 'inDoubt' && line.recipient === recipient) ?? false;

const accountsOf = ({ accounts }: Ledger, { findings }: Evidence): Verdict[] =>
  [...accounts]
    .filter((address) => !findings.accounts.includes(address))
    .map((address) => wrong('undone', `the account ${address} is gone`));

/** What the server's log has told stands in the dossier. */
const dossiersOf = ({ told }: Ledger, { findings: { dossiers } }: Evidence): Verdict[] =>
  told
    .filter(({ queueId, recipient, event }) => {
      const lines = dossiers.get(queueId) ?? [];
      return !lines.some((line) => line.event === event && line.recipient === recipient);
    })
    .map(({ queueId, recipient, event }) =>
      wrong('undone', `${queueId} to ${recipient} was ${event}, but its dossier does not say so`),
    );
