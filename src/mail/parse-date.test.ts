import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { formatDate } from './date.ts';
import { fieldValue, parseHeader } from './header.ts';
import { parseDate } from './parse-date.ts';

interface DateTime {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  tz_before_gmt: boolean;
  tz_hour: number;
  tz_minute: number;
}

const readCases = <T>(name: string): { header: string; expected: T }[] =>
  JSON.parse(readFileSync(new URL(`../../testdata/mime/${name}`, import.meta.url), 'utf8'));

const dates = readCases<DateTime | null>('date.json').map((each, index) => ({ ...each, index }));
const received = readCases<{ date?: DateTime | null }>('received.json').map((each, index) => ({
  ...each,
  index,
}));

const fourDigits = 'RFC 5322 §4.3: 03 is 2003, and so is 04 2004';
const namedZone = 'RFC 5322 §4.3: PST is -0800, PDT -0700';
const noDate = 'no date of RFC 5322, and the suite makes a wrong one of it';
/** Where the suite does not have what the RFC says; ours, and why. */
const ours: Record<string, { date?: string; reason: string }> = {
  'date 10': { reason: 'a month by its number' },
  'date 12': { reason: noDate },
  'received 13': { reason: noDate },
  'received 67': { date: '2003-02-12T22:22:21Z', reason: namedZone },
  'received 89': { date: '2003-03-27T02:43:24Z', reason: fourDigits },
  'received 90': { date: '2004-02-27T22:16:56Z', reason: fourDigits },
  'received 117': { reason: noDate },
  'received 118': { reason: noDate },
  'received 128': { reason: 'something follows the date' },
  'received 138': { reason: 'something stands before the date' },
  'received 144': { reason: 'fractions of a second' },
  'received 151': { reason: noDate },
  'received 163': { date: '2006-06-02T15:15:21Z', reason: namedZone },
};

function wantedOf(name: string, expected: DateTime | null | undefined): number | undefined {
  const own = ours[name];
  if (own !== undefined) return own.date === undefined ? undefined : Date.parse(own.date);
  return expected ? timeOf(expected) : undefined;
}

/** The value, up to where the field ends, after what a trace field has before its date. */
function dateIn(header: string): string {
  const [field] = parseHeader(Buffer.from(`Date: ${header}\n\n`)).fields;
  const value = field === undefined ? '' : fieldValue(field);
  return value.slice(value.lastIndexOf(';') + 1);
}

function timeOf({ year, month, day, hour, minute, second, ...zone }: DateTime): number {
  const offset = (zone.tz_hour * 60 + zone.tz_minute) * (zone.tz_before_gmt ? -1 : 1);
  return Date.UTC(year, month - 1, day, hour, minute, second) - offset * 60_000;
}

describe('suite mime: dates', () => {
  test.each(dates)('suite mime: date $index $header', ({ header, expected, index }) => {
    expect(parseDate(dateIn(header))).toBe(wantedOf(`date ${index}`, expected));
  });

  // The rest of a trace field is nowhere read here.
  test.each(received)('suite mime: date of received $index', ({ header, expected, index }) => {
    expect(parseDate(dateIn(header))).toBe(wantedOf(`received ${index}`, expected.date));
  });
});

describe('parseDate()', () => {
  test.each([
    'Wed, 30 Feb 2026 10:00:00 +0000',
    '1 Jan 2026 24:00 +0000',
    '1 Jan 2026 10:60 +0000',
    '1 Jan 2026 10:00:61 +0000',
    '1 Jan 2026 10:00 +0000 (never ends',
    '',
    `1 Jan 2026 10:00 +0000${' '.repeat(1000)}`,
  ])('does not read %j', (text) => {
    expect(parseDate(text)).toBeUndefined();
  });

  test('reads what formatDate() writes, and a leap second as the one before it', () => {
    const at = Date.UTC(2026, 10, 27, 22, 20, 1);
    expect(parseDate(formatDate(at))).toBe(at);
    expect(parseDate('31 Dec 2016 23:59:60 +0000')).toBe(Date.UTC(2016, 11, 31, 23, 59, 59));
  });
});
