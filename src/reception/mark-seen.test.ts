import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listMaildir } from '../store/mailbox.ts';
import { markSeen } from './mark-seen.ts';

let maildir: string;
beforeEach(async () => {
  maildir = await mkdtemp(join(tmpdir(), 'seen-'));
  for (const part of ['new', 'cur']) await mkdir(join(maildir, part));
});
afterEach(() => rm(maildir, { recursive: true }));

describe('markSeen()', () => {
  test.each([
    ['new/1.a.h', 'cur/1.a.h:2,S'],
    ['new/1.a.h,S=3,W=4', 'cur/1.a.h,S=3,W=4:2,S'],
    ['cur/1.a.h:2,', 'cur/1.a.h:2,S'],
    ['cur/1.a.h:2,FT', 'cur/1.a.h:2,FST'],
    ['cur/1.a.h:2,RS', 'cur/1.a.h:2,RS'],
    ['cur/1.a.h:1,x', 'cur/1.a.h:1,x'],
  ])('%s becomes %s', async (before, after) => {
    await writeFile(join(maildir, before), 'x');
    await markSeen(await listMaildir(maildir));
    const [part = '', name] = after.split('/');
    expect(await readdir(join(maildir, part))).toEqual([name]);
  });

  test('leaves a message alone that another program has taken away, and goes on', async () => {
    for (const name of ['1.a.h', '2.b.h']) await writeFile(join(maildir, 'new', name), 'x');
    const entries = await listMaildir(maildir);
    await rm(join(maildir, 'new', '1.a.h'));
    await markSeen(entries);
    expect(await readdir(join(maildir, 'cur'))).toEqual(['2.b.h:2,S']);
  });
});
