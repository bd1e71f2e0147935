/**
 * Names and passwords in the one form in which both ends compute with them: SASLprep (RFC 4013) as far as it changes what
 * people type. What it prohibits is left to the server to refuse: it knows what it has stored.
 */

/** RFC 3454 C.1.2: blanks of other scripts. */
const otherBlanks = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g;
/** RFC 3454 B.1: what nobody sees. */
// biome-ignore lint/suspicious/noMisleadingCharacterClass: each is one code point, combining or not
const invisible = /[\u00ad\u034f\u1806\u180b-\u180d\u200c\u200d\u2060\ufe00-\ufe0f\ufeff]/g;

/** RFC 4013 §2: mapping, then normalization. */
export const prepare = (text: string): string =>
  text.replace(otherBlanks, ' ').replace(invisible, '').normalize('NFKC');
