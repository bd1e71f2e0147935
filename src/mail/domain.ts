/**
 * Domain names as mail knows them: text in, lower-case A-labels out (RFC 5321 §2.3.5, RFC 5890).
 * Knows nothing of DNS answers, nor of address literals.
 */

import { toASCII } from 'tr46';

/** RFC 1035 §2.3.4: 255 octets on the wire are 253 characters of text. */
const maxDomainLength = 253;
const maxLabelLength = 63;

/** Letters, digits and inner hyphens; possessive by construction: one class, no alternatives, so it cannot backtrack. */
const labelPattern = /^[a-z0-9-]+$/;
const allDigits = /^[0-9]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of ASCII.
const asciiPattern = /^[\x00-\x7f]*$/;

function isLabel(label: string): boolean {
  return (
    label.length <= maxLabelLength &&
    labelPattern.test(label) &&
    !label.startsWith('-') &&
    !label.endsWith('-')
  );
}

/** U-labels to A-labels by UTS #46 without the transitional mappings of 2003 (`ß` stays `ß`). */
function toALabels(text: string): string | undefined {
  const options = { checkBidi: true, checkJoiners: true, useSTD3ASCIIRules: true, verifyDNSLength: true };
  return toASCII(text, options) ?? undefined;
}

/**
 * Reads a domain name in A-labels or U-labels, without a final dot.
 * Undefined for anything that cannot be a mail domain: underscores, empty or long labels, and names that end in a
 * label of digits only. These look like an IPv4 address to whoever dials them, and no such domain exists (RFC 3696 §2).
 */
export function parseDomain(text: string): string | undefined {
  if (text.length > maxDomainLength) return undefined;
  // Names in ASCII are taken as they are: an A-label that decodes to nothing is still a name that DNS can answer for.
  const name = asciiPattern.test(text) ? text.toLowerCase() : toALabels(text);
  if (name === undefined || name.length > maxDomainLength) return undefined;
  const labels = name.split('.');
  return labels.every(isLabel) && !allDigits.test(labels.at(-1) ?? '') ? name : undefined;
}
