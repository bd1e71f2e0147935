/**
 * What the big receivers have published that they ask of senders: each rule with its page and the day from which it holds,
 * looked up on the day in `checked`. Knows no message.
 */

import type { Rule } from './finding.ts';

/** What a rule asks for, as far as a message and DNS can show it. */
export type Demand =
  | 'SPF or DKIM'
  | 'SPF and DKIM'
  | 'DMARC aligned'
  | 'one-click unsubscribe'
  | 'reverse DNS'
  | 'TLS'
  | 'not as the receiver'
  | 'size'
  | 'attachments';

export interface ReceiverRule extends Rule {
  demand: Demand;
  /** Recipients of one day at this receiver from which it holds; absent: for everybody. */
  fromPerDay?: number;
  /** Only for what people subscribe to, and for advertising. */
  forBulk?: true;
  /** What it says in its reply, where that is known. */
  reply?: string;
}

export interface KnownReceiver {
  /** As site-tables.ts names it. */
  site: string;
  name: string;
  rules: readonly ReceiverRule[];
  /** What nobody but the receiver can measure, and where it shows it. */
  unmeasured: string;
}

/** The day these pages were looked up. */
export const checked = '2026-11-28';

const google = { source: 'support.google.com/a/answer/81126', since: '2024-02-01' };
const yahoo = { source: 'senders.yahooinc.com/best-practices', since: '2024-02-01' };
const microsoft = {
  source:
    'techcommunity.microsoft.com, "Strengthening Email Ecosystem: Outlook’s New Requirements for High-Volume Senders"',
  since: '2025-05-05',
};

/** Of a Gmail message in all. */
export const gmailMessageOctets = 25 * 1000 * 1000;

/** What Gmail takes from nobody, nor within archives. */
export const gmailBlocked: ReadonlySet<string> = new Set(
  (
    'ade adp apk appx appxbundle bat cab chm cmd com cpl diagcab diagcfg diagpkg dll dmg ex ex_ exe hta img ins iso isp jar ' +
    'jnlp js jse lib lnk mde mjs msc msi msix msixbundle msp mst nsh pif ps1 scr sct shb sys vb vbe vbs vhd vxd wsc wsf wsh xll'
  ).split(' '),
);

export const knownReceivers: readonly KnownReceiver[] = [
  {
    site: 'google.com',
    name: 'Gmail',
    rules: [
      { ...google, demand: 'SPF or DKIM', text: 'every message passes SPF or DKIM', reply: '550 5.7.26' },
      {
        ...google,
        demand: 'reverse DNS',
        text: 'the sending address has forward and reverse DNS that agree',
      },
      { ...google, demand: 'TLS', since: '2023-12-01', text: 'messages are sent over TLS' },
      { ...google, demand: 'not as the receiver', text: 'nobody writes From: as gmail.com but Gmail' },
      {
        ...{ demand: 'size', source: 'support.google.com/mail/answer/6584' },
        text: 'a message has at most 25 MB, attachments as they are encoded included',
      },
      {
        ...{ demand: 'attachments', source: 'support.google.com/mail/answer/6590' },
        text: 'programs and scripts are refused, within archives as well',
        reply: '552 5.7.0',
      },
      { ...google, demand: 'SPF and DKIM', fromPerDay: 5000, text: 'SPF and DKIM are both set up' },
      {
        ...{ ...google, demand: 'DMARC aligned', fromPerDay: 5000 },
        text: 'the domain of From has a DMARC record, and SPF or DKIM is aligned with it',
      },
      {
        ...{
          ...google,
          demand: 'one-click unsubscribe',
          since: '2024-06-01',
          fromPerDay: 5000,
          forBulk: true,
        },
        text: 'what is subscribed to, and advertising, can be unsubscribed from with one click (RFC 8058)',
      },
    ],
    unmeasured:
      'How many call it spam (less than 0.1 %, never 0.3 %) only Postmaster Tools shows: postmaster.google.com.',
  },
  {
    site: 'yahoodns.net',
    name: 'Yahoo',
    rules: [
      { ...yahoo, demand: 'SPF or DKIM', text: 'every message passes SPF or DKIM' },
      { ...yahoo, demand: 'reverse DNS', text: 'the sending address has valid forward and reverse DNS' },
      { ...yahoo, demand: 'SPF and DKIM', fromPerDay: 5000, text: 'bulk senders set up SPF and DKIM' },
      {
        ...{ ...yahoo, demand: 'DMARC aligned', fromPerDay: 5000 },
        text: 'bulk senders publish DMARC, p=none at least, and pass it',
      },
      {
        ...{
          ...yahoo,
          demand: 'one-click unsubscribe',
          since: '2024-06-01',
          fromPerDay: 5000,
          forBulk: true,
        },
        text: 'advertising and what is subscribed to can be unsubscribed from with one click (RFC 8058), within two days',
      },
    ],
    unmeasured:
      'How many call it spam (less than 0.3 %) only its feedback loop tells: senders.yahooinc.com (Complaint Feedback Loop).',
  },
  {
    site: 'olc.protection.outlook.com',
    name: 'Outlook.com',
    rules: [
      {
        ...{ ...microsoft, demand: 'SPF and DKIM', fromPerDay: 5000, reply: '550 5.7.515' },
        text: 'SPF and DKIM both pass',
      },
      {
        ...{ ...microsoft, demand: 'DMARC aligned', fromPerDay: 5000, reply: '550 5.7.515' },
        text: 'there is a DMARC record, p=none at least, and SPF or DKIM is aligned',
      },
    ],
    unmeasured:
      'What it thinks of an address only SNDS shows: sendersupport.olc.protection.outlook.com/snds.',
  },
];
