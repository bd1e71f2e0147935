/** The chapters of the playground's tour, in plain words. Sends nothing, asks nothing: what happened is handed in. */

import type { NameRecords, ZoneData } from '../dns/zone-data.ts';
import { zoneFileLines } from '../dns/zone-file.ts';
import type { DialogueLine, DossierEvent, Endpoint, TlsFacts } from '../dossier/event.ts';
import { formatTimeline } from '../dossier/timeline.ts';
import { tlsOf } from '../dossier/words.ts';
import type { Page } from './playground-page.ts';

export function tellStage(page: Page, dns: { address: string; port: number; records: ZoneData }): void {
  page.title('The Posthorn playground');
  page.say(
    'Two complete mail servers have just started in this process. A letter is about to travel from one to',
    'the other, by the same protocols and with the same care as between any two servers on the internet,',
    'and you can read along.',
  );
  page.heading('The stage');
  page.say(
    'mx.example.com   serves example.com, where sender@example.com writes a letter',
    'mx.example.net   serves example.net, where recipient@example.net will read it',
  );
  page.say(
    'They know each other by DNS only. A name server, which this process runs for them, answers for both',
    `domains (${dns.address} port ${dns.port}, UDP and TCP). What it says that matters here:`,
  );
  for (const { remark, name, type } of shownRecords) {
    page.remark(remark);
    page.quote(recordLines(dns.records, name, type));
  }
}

const shownRecords: readonly { remark: string; name: string; type?: keyof NameRecords }[] = [
  { remark: 'which host takes mail for example.net', name: 'example.net', type: 'MX' },
  { remark: 'where that host is', name: 'mx.example.net' },
  {
    remark: 'who may send mail of example.com: its MX hosts and nobody else (SPF)',
    name: 'example.com',
    type: 'TXT',
  },
  { remark: 'the key to check its signatures with (DKIM)', name: 'posthorn._domainkey.example.com' },
  {
    remark: 'what to do with mail in its name that is neither: reject it (DMARC)',
    name: '_dmarc.example.com',
  },
  { remark: 'whose address is this? (both are on this machine)', name: '1.0.0.127.in-addr.arpa' },
];

/** A DKIM key does not fit on a line, and nobody reads it. */
const longestRecord = 100;

/** As in a zone file. */
function recordLines(records: ZoneData, name: string, type?: keyof NameRecords): string[] {
  const all = records[name] ?? {};
  const chosen = type === undefined ? all : { [type]: all[type] };
  return zoneFileLines({ [name]: chosen }).map((line) =>
    line.length > longestRecord ? `${line.slice(0, longestRecord - 1)}…` : line,
  );
}

export function tellLetter(page: Page, letter: Buffer, { host, port }: Endpoint): void {
  page.heading('The letter');
  page.say('What sender@example.com has written, as the mail program made it:');
  page.quoteMessage(letter);
  page.say(
    `The mail program takes it to ${host}, submission port ${port}: it asks for TLS, checks the`,
    'certificate, gives the password, and hands the letter over.',
  );
}

export function tellSending(page: Page, events: readonly DossierEvent[]): void {
  page.heading('What the sending server did');
  page.say(
    'A Posthorn server keeps a dossier of every message: what happened, when, and why. This is the one at',
    'mx.example.com. In a dialogue, S: is the server and C: the client of that connection, +0.001 are the',
    'seconds since the step began, and # explains the line below it.',
  );
  page.say(formatTimeline(events, page).trimEnd());
}

export function tellReceiving(page: Page, events: readonly DossierEvent[]): void {
  page.heading('What the receiving server did');
  page.say(
    'The same letter in the dossier at mx.example.net: who brought it, whether it really comes from',
    'example.com, and where it was put.',
  );
  page.say(formatTimeline(events, page).trimEnd());
}

export interface Reading {
  tls: TlsFacts;
  dialogue: readonly DialogueLine[];
  message: Buffer;
}

export function tellReading(page: Page, { host, port }: Endpoint, { tls, dialogue, message }: Reading): void {
  page.heading('The recipient reads it');
  page.say(`Another mail program fetches it by POP3 from ${host}, port ${port},`, `${tlsOf(tls)}:`);
  page.say(...dialogue.map(([offsetMs, line]) => `${offsetOf(offsetMs)}    ${line}`));
  page.say('This is what it finds, with all that the two servers have put on top of the letter:');
  page.quoteMessage(message);
}

/** As in a timeline. */
const offsetOf = (offsetMs: number): string => `+${(offsetMs / 1000).toFixed(3)}`.padStart(12);

/** `tookMs` is the time from the mail program that sends to the one that reads. */
export function tellAnswer(page: Page, tookMs: number): void {
  page.say(`Did it hit the Spam folder? No: it is in the inbox, ${tookMs} ms after it was sent.`);
}
