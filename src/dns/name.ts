/**
 * Domain names as Posthorn writes them: lower-case, without the final dot, '' for the root. Says which names can be
 * asked for and which of those that come back may be shown and used. RFC 1035 §2.3, RFC 2181 §11.
 */

/** Labels of 1–63 printable ASCII octets, 253 in all: what fits into a question. */
const askable = /^(?=.{1,253}$)[!-\-/-~]{1,63}(?:\.[!-\-/-~]{1,63})*$/;

/**
 * A label may hold any octet (RFC 2181 §11), but the names in answers end up in header fields, TLS and logs: whoever
 * runs the other zone must not write line ends there. '_' is for service names, '/' for RFC 2317 reverse zones.
 */
const harmless = /^(?=.{1,253}$)[a-z0-9_/-]{1,63}(?:\.[a-z0-9_/-]{1,63})*$/;

/** The one form of a name: `Example.COM.` → `example.com`, `.` → ``. */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}

/** Whether a canonical name can be asked for at all; one that cannot does not exist either. */
export function isAskableName(name: string): boolean {
  return askable.test(name);
}

/** Whether a canonical name out of an answer is safe to pass on; not so the root. */
export function isHarmlessName(name: string): boolean {
  return harmless.test(name);
}
