/** A report in lines for people. */

import type { AbuseReport } from '../arf/read.ts';
import { dayOf, plural } from '../dossier/words.ts';
import type { MatchedMessage } from '../reporting/inbox/complaint.ts';
import type { StoredReport } from '../store/report-store.ts';
import type { ReceivedTlsFailure, ReceivedTlsPolicy } from '../tls-rpt/read.ts';

export function tlsLines({ organization, beginsAt, endsAt, data }: StoredReport): string[] {
  const { policies } = data as { policies: ReceivedTlsPolicy[] }; // written by kept-report.ts
  const days = dayOf(beginsAt) === dayOf(endsAt) ? dayOf(beginsAt) : `${dayOf(beginsAt)} to ${dayOf(endsAt)}`;
  return [`${days}  ${organization}`, ...policies.flatMap(policyLines)];
}

function policyLines({ type, domain, successes, failures, details, mxHosts }: ReceivedTlsPolicy): string[] {
  const policy = { sts: 'MTA-STS', tlsa: 'DANE', 'no-policy-found': 'no policy' }[type] ?? type;
  const hosts = mxHosts.length === 0 ? '' : ` (${mxHosts.join(', ')})`;
  return [
    `    ${domain}, ${policy}${hosts}: ${plural(successes, 'session')} as they should be, ${failures} not`,
    ...details.map((detail) => `        ${failureText(detail)}`),
  ];
}

function failureText({ type, count, host, address, sendingAddress, reason }: ReceivedTlsFailure): string {
  const where = [
    ...(host === undefined ? [] : [`at ${host}`]),
    ...(address === undefined ? [] : [`(${address})`]),
    ...(sendingAddress === undefined ? [] : [`from ${sendingAddress}`]),
  ];
  const why = reason === undefined ? '' : `: ${reason}`;
  return `${[`${count} × ${type}`, ...where].join(' ')}${why}`;
}

export function abuseLines({ receivedAt, sender, data }: StoredReport): string[] {
  const { from, report, matched } = data as { from: string; report: AbuseReport; matched?: MatchedMessage };
  const { original } = report;
  const proven = sender === '' ? ' (not proven to come from there)' : '';
  return [
    `${dayOf(receivedAt)}  ${report.type}  by ${from}${proven}${report.incidents > 1 ? `, ${report.incidents} times` : ''}`,
    ...part('message', original?.messageId),
    ...part('subject', original?.subject),
    ...part('from', original?.from ?? report.originalMailFrom),
    ...part('to', report.originalRecipients.join(', ')),
    ...part('sent by', report.source),
    ...part('what failed', report.authFailure),
    ...matchedLines(matched),
  ];
}

function matchedLines(matched: MatchedMessage | undefined): string[] {
  if (matched?.queueId === undefined) return ['    not known here'];
  const { queueId, account, recipients = [], suppressed, why } = matched;
  const sentBy = account === undefined ? '' : `, sent by ${account}`;
  return [
    `    here ${queueId}${sentBy}, to ${recipients.join(', ')}: posthorn trace ${queueId}`,
    ...(suppressed === undefined
      ? []
      : [`    our users' mail to ${suppressed} is refused now: posthorn suppression show ${suppressed}`]),
    ...part('not suppressed', why),
  ];
}

export function unreadableLines({ receivedAt, queueId, data }: StoredReport): string[] {
  const { from, subject, problem } = data as { from: string; subject: string; problem: string };
  return [
    `${dayOf(receivedAt)}  from ${from}: ${subject}`,
    `    it cannot be read: ${problem}`,
    `    the mail itself was delivered: posthorn trace ${queueId}`,
  ];
}

const part = (name: string, value: string | undefined): string[] =>
  value === undefined || value === '' ? [] : [`    ${name}: ${value}`];
