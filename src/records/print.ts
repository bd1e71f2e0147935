/**
 * Wanted records for people: as a zone file, as a table to paste into a provider's panel, and texts cut as panels want
 * them. RFC 1035 §3.3 (character-strings), §5 (zone files).
 */

import type { WantedRecord } from './wanted-record.ts';

/** Seconds; short enough that a mistake is soon mended. */
export const printedTtl = 3600;

/** The longest character-string of a TXT record (RFC 1035 §3.3). */
const characterStringOctets = 255;

/** A text in pieces of 255 octets at most; never within a character. */
export function characterStrings(text: string): string[] {
  const strings: string[] = [];
  let current = '';
  for (const character of text) {
    if (Buffer.byteLength(current + character) > characterStringOctets) {
      strings.push(current);
      current = '';
    }
    current += character;
  }
  return [...strings, current];
}

/** `"first 255 octets" "the rest"`, as zone files and some panels want a TXT; other types as they are. */
export const quotedData = ({ type, data }: Pick<WantedRecord, 'type' | 'data'>): string =>
  type === 'TXT' ? characterStrings(data).map(quoted).join(' ') : data;

/** What is not printable ASCII as `\DDD` for each octet (RFC 1035 §5.1). */
function quoted(text: string): string {
  const escaped = Buffer.from(text)
    .toString('latin1')
    .replace(/["\\]/g, '\\$&')
    .replace(/[^ -~]/g, (octet) => `\\${String(octet.charCodeAt(0)).padStart(3, '0')}`);
  return `"${escaped}"`;
}

/** One line, as it stands in a zone file; `posthorn doctor` shows a single record so. */
export const recordLine = (record: Pick<WantedRecord, 'name' | 'type' | 'data'>, ttl = printedTtl): string =>
  `${record.name}.  ${ttl}  IN  ${record.type}  ${quotedData(record)}`;

/**
 * Zone by zone, what each record is for in a comment above it. What is not to be published yet, and what is for
 * the provider of the addresses, stands there as a comment.
 */
export function zoneFileText(records: readonly WantedRecord[], ttl = printedTtl): string {
  const ours = records.filter(({ where }) => where === 'zone');
  const zones = [...Map.groupBy(ours, ({ domain }) => domain)].flatMap(([zone, all]) => [
    `; ---- Zone ${zone}`,
    `$ORIGIN ${zone}.`,
    ...grouped(all).flatMap((group) => zoneLines(group, ttl)),
    '',
  ]);
  const theirs = records.filter(({ where }) => where === 'provider');
  const reverse = [
    '; ---- For your hosting provider to enter: the reverse names of the addresses',
    ...theirs.map((record) => `; ${recordLine(record, ttl)}`),
    '',
  ];
  return [...zones, ...(theirs.length === 0 ? [] : reverse)].join('\n');
}

/** Neighbours that are there for one reason. */
function grouped(records: readonly WantedRecord[]): WantedRecord[][] {
  return [...Map.groupBy(records, ({ purpose, why, notYet }) => `${purpose} ${why} ${notYet}`).values()];
}

function zoneLines(group: readonly WantedRecord[], ttl: number): string[] {
  const [first] = group;
  if (first === undefined) return [];
  const isLater = first.notYet !== undefined;
  return [
    '',
    ...wrapped(`${first.need}: ${first.why}`).map((line) => `; ${line}`),
    ...(first.notYet === undefined ? [] : wrapped(`NOT YET: ${first.notYet}`).map((line) => `; ${line}`)),
    ...group.map((record) => `${isLater ? '; ' : ''}${recordLine(record, ttl)}`),
  ];
}

const lineWidth = 110;

export function wrapped(text: string, width = lineWidth): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** Panels ask for the name within the zone, `@` for the zone itself. */
export function nameInZone({ name, domain }: Pick<WantedRecord, 'name' | 'domain'>): string {
  if (name === domain) return '@';
  return name.endsWith(`.${domain}`) ? name.slice(0, -domain.length - 1) : name;
}

/** What panels have a field for: names without the final dot, texts without quotes. */
const panelData = ({ type, data }: WantedRecord): string =>
  type === 'TXT' ? data : data.replace(/(?<=\S)\.$/, '');

/** Type, name and value in columns, zone by zone; below it the texts that some panels want in pieces. */
export function tableText(records: readonly WantedRecord[]): string {
  const zones = [...Map.groupBy(records, zoneHeading)].flatMap(([heading, all]) => [
    heading,
    ...columns(all),
    '',
  ]);
  return [...zones, ...longTexts(records)].join('\n');
}

function zoneHeading({ where, domain, notYet }: WantedRecord): string {
  if (where === 'provider') return 'For your hosting provider (reverse DNS)';
  return notYet === undefined ? `In the zone ${domain}` : `In the zone ${domain}, but not yet: ${notYet}`;
}

function columns(records: readonly WantedRecord[]): string[] {
  const isAside = records[0]?.where === 'provider';
  const rows = records.map((record) => [
    record.type,
    isAside ? record.name : nameInZone(record),
    panelData(record),
  ]);
  const width = Math.max(...rows.map(([, name = '']) => name.length));
  return rows.map(
    ([type = '', name = '', data = '']) => `  ${type.padEnd(5)}  ${name.padEnd(width)}  ${data}`,
  );
}

function longTexts(records: readonly WantedRecord[]): string[] {
  const long = records.filter(
    ({ type, data }) => type === 'TXT' && Buffer.byteLength(data) > characterStringOctets,
  );
  if (long.length === 0) return [];
  return [
    'Where a panel takes no text of more than 255 characters, enter it in pieces, quotes and all:',
    ...long.flatMap((record) => [
      `  ${nameInZone(record)}  (zone ${record.domain})`,
      `    ${quotedData(record)}`,
    ]),
    '',
  ];
}
