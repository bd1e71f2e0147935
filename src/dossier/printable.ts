/** Text from strangers made safe for a terminal. Knows nothing of what the text says. */

/**
 * Control characters but the tab, invisible formatting (among it what reverses the direction of writing) and lone
 * surrogates become `\x1b` or `\u{202e}`: a reply from another server must not move our cursor or hide what it says.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    if (character === '\t') return character;
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}
