/** mox's cases of message data and its dots (testdata/smtp), each one test. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DotStuffer } from '../util/dot-stuffing.ts';
import { DataReader } from './data-reader.ts';

interface Cases {
  read: { wire: string; text?: string }[];
  written: { text: string; wire?: string }[];
}

const cases: Cases = JSON.parse(
  readFileSync(new URL('../../testdata/smtp/mox.json', import.meta.url), 'utf8'),
);

function read(wire: string) {
  const reader = new DataReader({ dotted: true, normalize: false });
  const octets = Buffer.from(wire);
  const used = reader.read(octets);
  const text = reader.take()?.toString() ?? '';
  return { text, isWhole: reader.ended && used === octets.length, isBare: reader.bareNewline };
}

function written(text: string): string {
  const stuffer = new DotStuffer();
  return Buffer.concat([stuffer.push(Buffer.from(text)), stuffer.end()]).toString();
}

describe('suite smtp: data that comes in', () => {
  test.each(cases.read)('suite smtp: $wire is read as $text', ({ wire, text }) => {
    const found = read(wire);
    if (text !== undefined) expect(found).toMatchObject({ text, isWhole: true });
    // Refused as it is (smtp/transcripts/outside/13-false-ends.txt), or no end at all.
    else expect(found.isBare || !found.isWhole).toBe(true);
  });
});

describe('suite smtp: data that goes out', () => {
  test.each(cases.written)('suite smtp: $text is written as $wire', ({ text, wire }) => {
    const sent = written(text);
    if (wire !== undefined) expect(sent).toBe(wire);
    // What mox refuses to send ends in our words where it ends, and nowhere else, whoever reads it by the book.
    const { isWhole, text: again } = read(sent);
    expect([isWhole, again]).toEqual([true, text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`]);
  });
});
