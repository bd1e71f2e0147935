/** Folding of header fields that we write ourselves (RFC 5322 §2.1.1, §2.2.3). Never used on what others wrote. */

/** RFC 5322 §2.1.1: SHOULD, without the CRLF. */
const preferredLineLength = 78;

/**
 * Puts a field together from parts between which a fold is harmless, and ends it with CRLF. A part longer than a line
 * stays whole. Parts are ours or made harmless before: no CR, no LF.
 */
export function foldField(name: string, parts: readonly string[]): string {
  let text = `${name}:`;
  let lineLength = text.length;
  for (const part of parts) {
    const fits = lineLength + 1 + part.length <= preferredLineLength;
    text += fits ? ` ${part}` : `\r\n\t${part}`;
    lineLength = fits ? lineLength + 1 + part.length : 1 + part.length;
  }
  return `${text}\r\n`;
}
