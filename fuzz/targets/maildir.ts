/** File names in a Maildir, which other programs write too: each is listed once, under a name that UIDL may tell. */

import { isUtf8 } from 'node:buffer';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listMaildir, readEntry } from '../../src/store/mailbox.ts';
import { octetsOf } from '../corpus.ts';
import { demand, type Target } from './target.ts';

const content = 'Subject: x\n\nhi\n';
const maxFiles = 8;

/** A line of the input is the name of a file, as octets; what no file can be called is cut. */
function namesIn(input: Buffer): Buffer[] {
  const names = input
    .toString('latin1')
    .split('\n', maxFiles)
    .map((line) => line.replace(/[/\0]/g, '_').slice(0, 255));
  return [...new Set(names)]
    .filter((name) => name !== '' && name !== '.' && name !== '..')
    .map((name) => Buffer.from(name, 'latin1'));
}

/** Names that begin with a dot are hidden, and those that are not UTF-8 cannot be opened. */
const isVisible = (name: Buffer): boolean => name[0] !== 0x2e && isUtf8(name) && !name.includes('\ufffd');

async function check(input: Buffer): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-fuzz-'));
  try {
    const names = namesIn(input);
    for (const part of ['new', 'cur']) mkdirSync(join(directory, part));
    for (const [index, name] of names.entries())
      writeFileSync(
        Buffer.concat([Buffer.from(`${directory}/${index % 2 === 0 ? 'new' : 'cur'}/`), name]),
        content,
      );
    await checkListing(directory, names);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function checkListing(maildir: string, names: readonly Buffer[]): Promise<void> {
  const entries = await listMaildir(maildir);
  const messages = new Set(names.filter(isVisible).map((name) => name.toString().replace(/[:,].*$/s, '')));
  demand(entries.length === messages.size, `${entries.length} of ${messages.size} messages are listed`);
  demand(new Set(entries.map(({ unique }) => unique)).size === entries.length, 'two messages have one id');
  for (const entry of entries) {
    demand(/^[!-~]{1,70}$/.test(entry.unique), `not a unique id: ${entry.unique}`);
    demand(Number.isSafeInteger(entry.sizeBytes) && entry.sizeBytes >= 0, `a size of ${entry.sizeBytes}`);
    let octets = 0;
    for await (const chunk of readEntry(entry)) octets += chunk.length;
    demand(octets === content.length + 3, `${octets} octets are read`);
  }
}

export const maildir: Target = {
  name: 'maildir',
  seeds: () =>
    octetsOf([
      '1700000000.M1P1.mx,S=13,W=16:2,S',
      '1.Q_0.mx,S=13,W=16\n2.Q_1.mx',
      'x,W=\n:2,\n,S=1',
      '1.a,W=99999999999999999999',
    ]),
  read: check,
};
