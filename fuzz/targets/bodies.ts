/** What streams by without being read as a whole: line checks, dots, line ends, canonical forms. Pieces must not matter. */

import { type Canonicalization, canonicalBody } from '../../src/authentication/canonical-body.ts';
import { withCrlf } from '../../src/mail/line-ends.ts';
import { lineScanner } from '../../src/mail/submission-rules.ts';
import { DataReader } from '../../src/smtp/data-reader.ts';
import { crlfToLf, lfToCrlf } from '../../src/store/line-ends.ts';
import { DotStuffer } from '../../src/util/dot-stuffing.ts';
import { transcriptSeeds } from '../corpus.ts';
import { body } from '../grammar/messages.ts';
import { byteByByte, type Cut, cuts, whole } from '../packets.ts';
import { demand, demandSame, type Target } from './target.ts';

function canonical(form: Canonicalization, pieces: readonly Buffer[]): Buffer {
  const out: Buffer[] = [];
  const reader = canonicalBody(form, (octets) => out.push(Buffer.from(octets)));
  for (const piece of pieces) reader.update(piece);
  reader.end();
  return Buffer.concat(out);
}

function stuffed(pieces: readonly Buffer[]): Buffer {
  const stuffer = new DotStuffer();
  const out = pieces.map((piece) => stuffer.push(piece));
  return Buffer.concat([...out, stuffer.end()]);
}

function unstuffed(pieces: readonly Buffer[], normalize: boolean) {
  const reader = new DataReader({ dotted: true, normalize });
  const out: Buffer[] = [];
  for (const piece of pieces) {
    if (!reader.ended) reader.read(Buffer.from(piece));
    const taken = reader.take();
    if (taken) out.push(taken);
  }
  return { content: Buffer.concat(out), ended: reader.ended, bare: reader.bareNewline };
}

function converted(pieces: readonly Buffer[]) {
  const [toLf, toCrlf] = [crlfToLf(), lfToCrlf()];
  const file = Buffer.alloc(pieces.reduce((sum, { length }) => sum + length, 1));
  let end = 0;
  for (const piece of pieces) end = toLf.convert(piece, file, end);
  end = toLf.end(file, end);
  return { file: file.subarray(0, end), wire: Buffer.concat(pieces.map((piece) => toCrlf.convert(piece))) };
}

/** What each reader makes of the pieces. */
function passThrough(pieces: readonly Buffer[]) {
  const scan = lineScanner();
  return {
    // Which of two faults is told may depend on the pieces; that there is one may not.
    refused: pieces.some((piece) => scan(piece) !== undefined),
    relaxed: canonical('relaxed', pieces).toString('latin1'),
    simple: canonical('simple', pieces).toString('latin1'),
    stuffed: stuffed(pieces).toString('latin1'),
    ...lines(converted(pieces)),
    rejected: lines(unstuffed(pieces, false)),
    normalized: lines(unstuffed(pieces, true)),
  };
}

const lines = (parts: Record<string, Buffer | boolean>) =>
  Object.fromEntries(
    Object.entries(parts).map(([name, part]) => [
      name,
      typeof part === 'boolean' ? part : part.toString('latin1'),
    ]),
  );

function check(input: Buffer): void {
  const first = passThrough(whole(input));
  for (const [name, cut] of cuts) demandSame(`what passes ${name}`, first, passThrough(cut(input)));
  // What is sent comes out as it went in, wherever it has lines of its own.
  const proper = withCrlf(input);
  const { content, ended } = unstuffed([stuffed([proper])], false);
  demand(
    ended && content.toString('latin1').startsWith(proper.toString('latin1')),
    'a message is cut on its way',
  );
  demand(content.length <= proper.length + 2, 'a message grows on its way');
}

/** One reader at a time, so that each of them is timed by itself. */
function bodyTarget(
  name: string,
  pass: (pieces: readonly Buffer[]) => unknown,
  checkAll?: (input: Buffer) => void,
): Target {
  const through = (cut: Cut) => (input: Buffer) => pass(cut(input));
  return {
    name,
    seeds: () => transcriptSeeds('src/smtp/transcripts/outside'),
    generate: (random) => Buffer.from(body(random), 'latin1'),
    read: through(whole),
    trickle: through(byteByByte),
    ...(checkAll && { check: checkAll }),
  };
}

export const bodies: readonly Target[] = [
  bodyTarget('body', (pieces) => pieces.map(lineScanner()), check),
  bodyTarget('body-canonical', (pieces) => [canonical('relaxed', pieces), canonical('simple', pieces)]),
  bodyTarget('body-dots', stuffed),
  bodyTarget('body-data', (pieces) => unstuffed(pieces, true)),
  bodyTarget('body-line-ends', converted),
];
