/**
 * What people have done to a text that was to be an SPF record: named, so that it is found in the form that it was entered in, and
 * undone. Pure. RFC 7208 §4.5, §4.6.1.
 */

import { isSpfRecord, readSpfRecord } from '../authentication/spf-record.ts';

export interface SpfRepair {
  /** What is wrong, in the order in which it was undone. */
  words: string;
  /** A record that can be read. */
  text: string;
}

type Step = readonly [pattern: RegExp, replacement: string, words: string];

const steps: readonly Step[] = [
  [
    /^.*\bTXT\s*\(?\s*"(v=spf1\b.*?)"\s*\)?\s*$/i,
    '$1',
    'it is the whole line of a zone file; only what stands between the quotes belongs here',
  ],
  [/^\s*["']+\s*|\s*["']+\s*$/g, '', 'it has quotes in it; they belong into zone files only'],
  [/^\s+/, '', 'it begins with a space'],
  [/\s*[;,]+\s*/g, ' ', 'it has semicolons or commas; the terms are divided by spaces, and by nothing else'],
  [/^v?\s*=?\s*spf\s*1?(?=\s|$)(?<!^v=spf1)/i, 'v=spf1', 'it has to begin with "v=spf1" and a space'],
  // Before a "-" that a word processor has made longer; octets of UTF-8.
  [/(?:\xe2\x80[\x90-\x95])(?=all\b)/g, '-', 'it has a long dash where a hyphen (-) belongs'],
  [/\bip(?:v|\s)([46]):/gi, 'ip$1:', 'an address is written ip4: or ip6:'],
  [/\b(ip[46]|include|exists|a|mx):\s+(?=\S)/gi, '$1:', 'no space belongs behind the colon'],
  [
    /(?<=[^\s+?~:-])(?=(?:ip[46]|include|exists):)/gi,
    ' ',
    'two terms are joined without a space: the pieces of a long text are put together as they are',
  ],
  [/(?<=[^\s])(?=[-~?+]all\s*$)/gi, ' ', 'two terms are joined without a space'],
  [/\bip4:(?=[\da-f]*:[\da-f:.]*)/gi, 'ip6:', 'an IPv6 address is written ip6:'],
  [/\bip6:(?=\d+\.\d+\.\d+\.\d+)/gi, 'ip4:', 'an IPv4 address is written ip4:'],
];

/** Undefined where it is more than that, or nothing is wrong. */
export function repairSpf(entered: string): SpfRepair | undefined {
  let text = entered;
  const words: string[] = [];
  for (const [pattern, replacement, what] of steps) {
    if (isReadable(text)) break;
    const changed = text.replace(pattern, replacement);
    if (changed === text) continue;
    text = changed;
    if (!words.includes(what)) words.push(what);
  }
  return words.length > 0 && isReadable(text) ? { words: words.join('; '), text } : undefined;
}

const isReadable = (text: string): boolean => isSpfRecord(text) && !('problem' in readSpfRecord(text));
