/** Dates as messages write them (RFC 5322 §3.3). Always UTC, so that nobody learns where a server stands. */

/**
 * `Fri, 25 Jul 2025 10:00:00 +0000`, from milliseconds since the epoch.
 * Throws a RangeError where that is no date.
 */
export function formatDate(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) throw new RangeError(`Cannot format a date: ${ms} is no time`);
  // RFC 9110 dates differ from ours in the zone only; `GMT` is an obsolete zone in RFC 5322 §4.3.
  return date.toUTCString().replace('GMT', '+0000');
}
