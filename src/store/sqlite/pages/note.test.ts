import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../../testing/store.ts';
import { flipBit } from '../../../testing/store-image.ts';
import { emptyNote, NoteFile, readNote } from './note.ts';

const note = {
  mark: { salts: [7, 8] as const, frames: 9 },
  proofs: [
    { page: 3, sum: 33 },
    { page: 4, sum: 44 },
  ],
};

test('NoteFile keeps what was noted last', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'note');
  expect(readNote(path)).toBeUndefined();
  const file = new NoteFile(path);
  expect(readNote(path)).toEqual(emptyNote);
  file.write(note);
  file.close();
  const again = new NoteFile(path);
  expect(readNote(path)).toEqual(note);
  again.write({ ...note, proofs: [{ page: 5, sum: 55 }] });
  expect(readNote(path)).toEqual({ ...note, proofs: [{ page: 5, sum: 55 }] });
  again.rest();
  expect(readNote(path)).toEqual(emptyNote);
  again.close();
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('readNote() finds every changed octet, and a length that is another', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'note');
  const file = new NoteFile(path);
  file.write(note);
  file.close();
  const octets = readFileSync(path);
  for (let offset = 0; offset < octets.length; offset++) {
    flipBit(path, offset, offset % 8);
    expect(readNote(path), `octet ${offset}`).toBe('damaged');
    flipBit(path, offset, offset % 8);
  }
  writeFileSync(path, octets.subarray(1));
  expect(readNote(path)).toBe('damaged');
});
