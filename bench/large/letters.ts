/**
 * Large letters that nobody has to keep: their bodies are put together from a pool of random blocks, each stamped with
 * the letter's number and its place, so that no two blocks are alike and whoever asks can make any body again.
 */

import { createCipheriv, createHash } from 'node:crypto';

/** In a Maildir lines end in LF; on the wire in CRLF, and leading dots are doubled (RFC 5321 §4.5.2). */
export type Form = 'file' | 'wire';

export interface Letters {
  /** A body's octets, in pieces. */
  body(number: number, form: Form): Iterable<Buffer>;
  /** SHA-256 of them, in hexadecimal. */
  hash(number: number, form: Form): string;
}

const poolBlocks = 64;
const linesPerBlock = 420;
/** Octets of a line without its end, as base64 is written in mail (RFC 2045 §6.8). */
const lineBytes = 76;
/** One line in so many begins with a dot. */
const dotEvery = 100;

/** Letters with bodies of `sizeBytes` at least. */
export function createLetters(sizeBytes: number): Letters {
  const pool = randomBlocks();
  const inForm = {
    file: pool.map((block) => toForm(block, 'file')),
    wire: pool.map((block) => toForm(block, 'wire')),
  };
  const blocks = Math.ceil(sizeBytes / (linesPerBlock * (lineBytes + 1)));

  function* body(number: number, form: Form): Iterable<Buffer> {
    for (let place = 0; place < blocks; place++) {
      yield toForm([`block ${place} of letter ${number}`], form);
      yield inForm[form][(31 * number + 7 * place) % poolBlocks] ?? Buffer.alloc(0);
    }
  }

  return {
    body,
    hash(number, form) {
      const hash = createHash('sha256');
      for (const piece of body(number, form)) hash.update(piece);
      return hash.digest('hex');
    },
  };
}

/** The same in every process: the sender and who checks what arrived make them each for themselves. */
function randomBlocks(): string[][] {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16));
  const block = () => {
    const text = cipher.update(Buffer.alloc(linesPerBlock * lineBytes)).toString('base64');
    return Array.from({ length: linesPerBlock }, (_, line) => lineOf(text, line));
  };
  return Array.from({ length: poolBlocks }, block);
}

function lineOf(text: string, index: number): string {
  const line = text.slice(index * lineBytes, (index + 1) * lineBytes);
  return index % dotEvery === 0 ? `.${line.slice(1)}` : line;
}

function toForm(lines: readonly string[], form: Form): Buffer {
  if (form === 'file') return Buffer.from(lines.map((line) => `${line}\n`).join(''));
  return Buffer.from(lines.map((line) => `${line.startsWith('.') ? '.' : ''}${line}\r\n`).join(''));
}
