/**
 * The notice that a user's mail is held, to the user and to the postmaster: why, where it came from, how it goes on. Of what
 * was written, nothing: only a few of the addresses that it was for.
 */

import { formatDate } from '../mail/date.ts';
import { oneLine } from './failure.ts';
import { wrapText } from './failure-text.ts';
import { reportHeader } from './message.ts';
import { renderPart } from './part.ts';

export interface BrakeNotice {
  hostname: string;
  /** `user@domain` of ours that it comes from. */
  from: string;
  to: string;
  /** The account whose mail is held. */
  account: string;
  audience: 'user' | 'postmaster';
  /** Milliseconds since the epoch. */
  brakedAt: number;
  volume: { count: number; limit: number; peak: number };
  /** Given where they were the reason. */
  bounces?: { ended: number; bounced: number };
  clients: readonly (readonly [address: string, recipients: number, at: number])[];
  /** The same of the app passwords that it came by. */
  appPasswords?: BrakeNotice['clients'];
  /** Some of those that it was for. */
  recipients: readonly string[];
  /** Recipients that wait. */
  waiting: number;
  /** Told before. */
  isReminder: boolean;
  now: number;
  /** Of the notice, with its angle brackets. */
  messageId: string;
}

const people = (count: number): string => `${count} recipient${count === 1 ? '' : 's'}`;

function reasonText({ volume: { count, limit, peak }, bounces }: BrakeNotice): string {
  if (bounces !== undefined)
    return (
      `Of the last ${people(bounces.ended)} within a day, ${bounces.bounced} were addresses that nobody has. ` +
      'Whoever writes to people they know has few of those.'
    );
  return (
    `There were ${people(count)} within an hour, and ${limit} are allowed. ` +
    `The most within an hour of the 30 days before was ${peak}.`
  );
}

const advice = {
  user:
    'If that was you, ask your postmaster to let it go. If it was not, somebody else knows your password: change it now, ' +
    'and tell your postmaster.',
  postmaster:
    'Ask the user, by another way than mail. If it was them, all of it is sent by the first command. If it was not, give the account ' +
    'another password, and drop what is held.',
};

function commands(account: string): string[] {
  return [
    'It was them:',
    '',
    `    posthorn account release ${account}`,
    '',
    'It was not:',
    '',
    `    posthorn account passwd ${account}`,
    `    posthorn account release ${account} --drop`,
    '',
    'What is held, and to allow more from now on:',
    '',
    `    posthorn queue list --state held --sender ${account}`,
    `    posthorn account set ${account} --hourly-recipients 500`,
    '',
  ];
}

function noticeText(notice: BrakeNotice): string {
  const { hostname, account, audience, brakedAt, clients, recipients, waiting, isReminder } = notice;
  const { appPasswords = [] } = notice;
  const who = audience === 'user' ? 'What you send' : `What <${oneLine(account)}> sends`;
  return [
    ...wrapText(`${who} is ${isReminder ? 'still ' : ''}held at ${hostname}, since`),
    `${formatDate(brakedAt)}.`,
    '',
    ...wrapText(reasonText(notice)),
    '',
    'It came from:',
    ...clients.map(([address, count]) => `    ${oneLine(address)}  (${people(count)})`),
    ...(appPasswords.length === 0 ? [] : ['', 'By these app passwords, which can be revoked alone:']),
    ...appPasswords.map(([name, count]) => `    "${oneLine(name)}"  (${people(count)})`),
    '',
    'Some of those that it was for:',
    ...recipients.map((recipient) => `    <${oneLine(recipient)}>`),
    '',
    ...wrapText(
      `${waiting === 1 ? '1 recipient waits' : `${waiting} recipients wait`} now. Nothing is lost or given up: its time stands still ` +
        'until somebody lets it go, and of that you hear once a day.',
    ),
    '',
    ...wrapText(advice[audience]),
    '',
    ...(audience === 'postmaster' ? commands(account) : []),
  ].join('\r\n');
}

/** The complete message, CRLF line ends. */
export function composeBrakeNotice(notice: BrakeNotice): Buffer {
  const { audience, account, isReminder } = notice;
  const whose = audience === 'user' ? 'What you send' : `Mail of ${account}`;
  const subject = `${isReminder ? 'Reminder: ' : ''}${whose} is held`;
  const header = reportHeader({ ...notice, subject, autoSubmitted: 'auto-generated' });
  return Buffer.from(
    header + renderPart({ contentType: 'text/plain; charset=utf-8', content: noticeText(notice) }),
  );
}
