/**
 * Problems in the order in which a tired person wants them: errors before warnings before notes, causes before what follows from them,
 * and together what one record mends. Pure.
 */

import type { FindingId, Severity } from './catalogue.ts';
import type { PlacedFinding } from './watch.ts';

/** Beginnings of ids. What is wrong with an earlier one is often why a later one is wrong. */
const causes = [
  ...['relay-', 'server-silent', 'disk-full', 'clock-off'],
  ...['zone-not-found', 'dnssec-', 'zone-', 'resolver-'],
  ...['address-', 'mx-', 'door-', 'port25-', 'certificate-'],
  ...['ptr-', 'ehlo-', 'spf-', 'dkim-', 'dmarc-', 'blocklist-'],
  ...['mta-sts-', 'dane-', 'caa-', 'mailbox-', 'tls-rpt-'],
];

const severities: readonly Severity[] = ['error', 'warning', 'note'];

/** Each group is one thing to do; its first finding is the worst, and says how. */
export function byCause(problems: readonly PlacedFinding[]): PlacedFinding[][] {
  const sorted = problems.toSorted((a, b) => rankOf(a) - rankOf(b));
  return [...Map.groupBy(sorted, keyOf).values()];
}

function rankOf({ severity, id }: PlacedFinding): number {
  const cause = causes.findIndex((beginning) => id?.startsWith(beginning));
  return severities.indexOf(severity) * 100 + (cause < 0 ? causes.length : cause);
}

/** The record that mends it, however it is written; where there is none, what is said. */
function keyOf({ id, record, remedy, evidence }: PlacedFinding): string {
  if (record === undefined) return [id, remedy, evidence].join('\n');
  return record.replace(/\s+\d+\s+IN\s+/g, ' ').replace(/\s+/g, ' ');
}

/** What the words mean that findings use, for who meets them the first time; by the beginning of an id. */
const words: Readonly<Record<string, readonly [word: string, meaning: string]>> = {
  'zone-': ['name server', 'a machine that tells the world what is in DNS of a domain'],
  'dnssec-': [
    'DNSSEC',
    'signatures in DNS; who checks them finds nothing where they are wrong. DS: what the registrar says of their key',
  ],
  'ttl-': ['TTL', 'for how many seconds others may keep a record of DNS before they ask again'],
  'resolver-': ['resolver', 'the program that this server asks for all names'],
  'mx-': ['MX', 'the record that says which server takes mail for a domain'],
  'ptr-': ['reverse name (PTR)', 'the name that an address has, entered by who gives the address'],
  'ehlo-': ['EHLO name', 'the name by which this server introduces itself to others'],
  'blocklist-': ['block list', 'addresses that somebody has seen spam from; many receivers ask such lists'],
  'spf-': ['SPF', 'the record that says which machines may send mail of a domain'],
  'dkim-': ['DKIM', 'the signature on each message; receivers find its key in DNS, under the selector'],
  'dmarc-': ['DMARC', 'the record that says what receivers do with mail that only pretends to be yours'],
  'mta-sts-': ['MTA-STS', 'a text on the web that says: mail to us comes encrypted, to these servers only'],
  'tls-rpt-': ['TLS reports', 'what others tell you, daily, of how encryption to your server went'],
  'dane-': ['DANE, TLSA', 'the record, in a signed zone, that says which key this server has for encryption'],
  'caa-': ['CAA', 'the record that says which authority may issue certificates for a name'],
  'srv-': ['SRV', 'records by which some mail programs find the server'],
  'relay-': ['relay', 'a server that takes mail from anybody for anybody; spammers look for them'],
  'door-no-starttls': ['STARTTLS', 'how servers begin to encrypt'],
};

export function wordsIn(problems: readonly PlacedFinding[]): (readonly [word: string, meaning: string])[] {
  const ids = problems.flatMap(({ id }) => (id === undefined ? [] : [id]));
  const isUsed = (beginning: string) => ids.some((id: FindingId) => id.startsWith(beginning));
  return Object.entries(words).flatMap(([beginning, word]) => (isUsed(beginning) ? [word] : []));
}
