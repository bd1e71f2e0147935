/** The names of files that stand uuencoded in a text (POSIX, uuencode): `begin 644 NAME`, at the beginning of a line. */

/** Of one text; and lines that might name one. */
const maxFiles = 100;
const maxLines = 1000;
/** A mode, and a name of no more than a line. */
const beginLine = /^begin(?:-base64)? [0-7]{3,4} ([^\r\n]{1,250})/;
const begin = 'begin';
const lf = 0x0a;

export function namesInUuencode(text: Buffer): { names: string[]; isCut: boolean } {
  const names: string[] = [];
  let lines = 0;
  for (let at = text.indexOf(begin); at >= 0; at = text.indexOf(begin, at + begin.length)) {
    if (at > 0 && text[at - 1] !== lf) continue;
    if (++lines > maxLines) return { names, isCut: true };
    const name = beginLine.exec(text.toString('utf8', at, at + 300))?.[1]?.trim();
    if (name === undefined || name === '') continue;
    if (names.length >= maxFiles) return { names, isCut: true };
    names.push(name);
  }
  return { names, isCut: false };
}
