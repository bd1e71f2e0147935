/**
 * Asks clamd (ClamAV's daemon) about a message: INSTREAM, in pieces with their length before each, and commands that begin
 * with `z` and end, like their answers, in NUL. There is no RFC; clamd(8) describes it. One question for each connection.
 */

import { bounded, type Deadline, FilterError, type FilterStream } from '../stream.ts';

/**
 * The name of what was found, or that nothing was. `tooLarge`: clamd takes less (StreamMaxLength), and has not looked.
 * `brokenOff`: it closed before it had heard all, and its last word did not arrive: most likely just that.
 */
export type ClamdAnswer = { malware: string } | 'clean' | 'tooLarge' | 'brokenOff';

/** Octets of an answer: a name, a path at most. */
const maxAnswerBytes = 4096;
/** Of a piece, well below clamd's StreamMaxLength. */
const pieceBytes = 65_536;

/** Rejects with a FilterError. `stream` is used up. */
export async function scan(
  stream: FilterStream,
  content: AsyncIterable<Buffer>,
  deadline: Deadline,
): Promise<ClamdAnswer> {
  try {
    await send(stream, content, deadline);
  } catch (error) {
    if (!(error instanceof FilterError) || error.kind !== 'down') throw error;
    // It has heard enough, and closed: what it said before that counts.
    if (!stream.hasInput) return 'brokenOff';
  }
  return readAnswer(await readText(stream, deadline));
}

async function send(stream: FilterStream, content: AsyncIterable<Buffer>, deadline: Deadline): Promise<void> {
  await stream.write([Buffer.from('zINSTREAM\0')], deadline.leftMs());
  for await (const piece of content) {
    for (let at = 0; at < piece.length; at += pieceBytes) {
      if (stream.hasInput) return;
      await stream.write(withLength(piece.subarray(at, at + pieceBytes)), deadline.leftMs());
    }
  }
  await stream.write([Buffer.alloc(4)], deadline.leftMs());
}

/** What PING and VERSION are answered with: for a check whether the right one is there. Rejects with a FilterError. */
export async function ask(
  stream: FilterStream,
  question: 'PING' | 'VERSION',
  deadline: Deadline,
): Promise<string> {
  await stream.write([Buffer.from(`z${question}\0`)], deadline.leftMs());
  return bounded(await readText(stream, deadline));
}

function withLength(piece: Buffer): Buffer[] {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(piece.length);
  return [length, piece];
}

async function readText(stream: FilterStream, deadline: Deadline): Promise<string> {
  let text = Buffer.alloc(0);
  for (;;) {
    const end = text.indexOf(0);
    if (end >= 0) return text.toString('utf8', 0, end);
    if (text.length > maxAnswerBytes)
      throw new FilterError('lied', `an answer of more than ${maxAnswerBytes} octets`);
    text = Buffer.concat([text, await stream.read(deadline.leftMs())]);
  }
}

/** `stream: OK`, `stream: Eicar-Signature FOUND`, `INSTREAM size limit exceeded. ERROR`. */
export function readAnswer(text: string): ClamdAnswer {
  const [, name, word] = /^stream: (?:(.*\S) )?(OK|FOUND)\s*$/s.exec(text) ?? [];
  if (word === 'OK' && name === undefined) return 'clean';
  if (word === 'FOUND' && name !== undefined) return { malware: bounded(name) };
  if (/size limit exceeded\. ERROR\s*$/i.test(text)) return 'tooLarge';
  if (/\bERROR\s*$/.test(text)) throw new FilterError('down', `it cannot scan the message: ${bounded(text)}`);
  throw new FilterError('lied', `"${bounded(text, 100)}" is no answer of clamd's`);
}
