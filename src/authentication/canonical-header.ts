/**
 * Header fields as DKIM signs them: relaxed canonicalization (RFC 6376 §3.4.2). It works on octets (latin1), because
 * a header may hold UTF-8 or anything else.
 */

/** `raw` is one field with its folds; the result is `name:value`, unfolded and without the final CRLF. */
export function relaxedField(raw: Buffer): string {
  const text = raw.toString('latin1').replace(/\r?\n/g, '');
  const colon = text.indexOf(':');
  const name = text.slice(0, colon).replace(/[ \t]/g, '').toLowerCase();
  // Every step is linear in the length of the field, whatever it holds.
  const value = text
    .slice(colon + 1)
    .replace(/[ \t]+/g, ' ')
    .replace(/^ | $/g, '');
  return `${name}:${value}`;
}
