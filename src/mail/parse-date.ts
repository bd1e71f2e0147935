/** Reads dates as messages write them (RFC 5322 §3.3, and the obsolete forms of §4.3). */

/** Characters, comments included: a date has some forty. */
const maxLength = 1000;

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** Hours; all other names mean that the zone is not known, and count as UTC (RFC 5322 §4.3). */
const zones: Readonly<Record<string, number>> = {
  edt: -4,
  est: -5,
  cdt: -5,
  cst: -6,
  mdt: -6,
  mst: -7,
  pdt: -7,
  pst: -8,
};

const pattern =
  /^(?:[a-z]{3,9}\s*,?\s*)?(\d{1,2})\s+([a-z]{3})\s+(\d{2,4})\s+(\d{1,2})\s*:\s*(\d{2})(?:\s*:\s*(\d{2}))?(?:\s*([+-])(\d{2})(\d{2})(?:\s+[a-z]+)?|\s+([a-z]+)\w*)?$/i;

/** Milliseconds since the epoch; undefined for what is no date. The name of the day is not looked at. */
export function parseDate(text: string): number | undefined {
  const plain = text.length > maxLength ? undefined : withoutComments(text);
  const found = plain === undefined ? null : pattern.exec(plain.trim());
  if (found === null) return undefined;
  const [, day, month = '', year, hour, minute, second = 0, sign, zoneHours, zoneMinutes, zone = ''] = found;
  const fields = [Number(day), Number(hour), Number(minute), Math.min(Number(second), 59)] as const;
  const at = timeOf(fullYear(Number(year), year?.length ?? 0), months.indexOf(month.toLowerCase()), fields);
  if (at === undefined || Number(second) > 60) return undefined;
  const minutes = Number(zoneHours ?? 0) * 60 + Number(zoneMinutes ?? 0);
  const offset =
    sign === undefined ? (zones[zone.toLowerCase()] ?? 0) * 60 : sign === '-' ? -minutes : minutes;
  return at - offset * 60_000;
}

/** RFC 5322 §4.3: two digits are of 1950 to 2049, three count from 1900. */
function fullYear(year: number, digits: number): number {
  if (digits >= 4) return year;
  return digits === 2 && year < 50 ? 2000 + year : 1900 + year;
}

/** Undefined where there is no such moment, like the 30th of February. */
function timeOf(
  year: number,
  month: number,
  [day, hour, minute, second]: readonly [number, number, number, number],
): number | undefined {
  if (month < 0 || hour > 23 || minute > 59) return undefined;
  const at = Date.UTC(year, month, day, hour, minute, second);
  return new Date(at).getUTCDate() === day ? at : undefined;
}

/** Comments nest (RFC 5322 §3.2.2); undefined where one never ends. */
function withoutComments(text: string): string | undefined {
  let depth = 0;
  let plain = '';
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (depth > 0 && character === '\\') index += 1;
    else if (character === '(') depth += 1;
    else if (character === ')' && depth > 0) depth -= 1;
    else if (depth === 0) plain += character;
  }
  return depth === 0 ? plain : undefined;
}
