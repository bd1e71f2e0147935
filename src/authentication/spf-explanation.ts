/** How a domain explains that its SPF record fails a client (`exp=`): the words of whoever wrote the record. RFC 7208 §6.2. */

import { isMacroString } from './spf-macro.ts';

/** Octets of an explanation with its macros; a longer one counts as none. */
export const longestExplanation = 1000;

/** The one text under a name, if it is an explanation (`explain-string`, §7.1): several, or any other, are as none. */
export function explanationIn(records: readonly string[][]): string | undefined {
  const [strings = [], ...others] = records;
  const text = strings.join('');
  const isOne = others.length === 0 && text !== '' && text.length <= longestExplanation;
  return isOne && text.split(' ').every(isMacroString) ? text : undefined;
}
