/** What TOP shows of a message (RFC 1939 §7): its header, the blank line, and the first lines of its body. */

const lf = 0x0a;
const crlfBytes = 2;

/**
 * Passes on `content` (CRLF line ends) up to the end of the body's line number `bodyLines`, and then ends it, so that
 * whatever it reads from is closed. A message without a blank line is all header.
 */
export async function* firstLines(content: AsyncIterable<Buffer>, bodyLines: number): AsyncGenerator<Buffer> {
  let linesLeft: number | undefined; // undefined while in the header
  let lineBytes = 0;
  for await (const piece of content) {
    let start = 0;
    for (let end = piece.indexOf(lf); end !== -1; end = piece.indexOf(lf, start)) {
      lineBytes += end + 1 - start;
      start = end + 1;
      if (linesLeft !== undefined) linesLeft--;
      else if (lineBytes === crlfBytes) linesLeft = bodyLines;
      lineBytes = 0;
      if (linesLeft !== 0) continue;
      yield piece.subarray(0, start);
      return;
    }
    lineBytes += piece.length - start;
    yield piece;
  }
}
