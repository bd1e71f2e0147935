/**
 * Whose the mailboxes are. Who moves brings Maildirs from elsewhere, mostly as root, and they are the old server's user's or root's:
 * what comes in for them waits, and is lost to its sender when its time is over.
 */

import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { type Finding, found } from './finding.ts';
import { unlessClosed } from './unless-closed.ts';

/** Where a delivery writes; what lies in its folders comes with them. */
const written = ['', 'Maildir', 'Maildir/tmp', 'Maildir/new', 'Maildir/cur'];
const shownMailboxes = 3;

export async function examineMailboxFiles({ dataDir }: Pick<Config, 'dataDir'>): Promise<Finding[]> {
  const owner = await unlessClosed(stat(dataDir));
  // root's server may write everywhere
  if (owner === undefined || owner.uid === 0) return [];
  const accounts = join(dataDir, 'accounts');
  const foreign: string[] = [];
  for (const entry of await directoriesIn(accounts)) {
    const mailbox = join(accounts, entry.name);
    const stats = await Promise.all(written.map((path) => unlessClosed(stat(join(mailbox, path)))));
    if (stats.some((one) => one !== undefined && one.uid !== owner.uid)) foreign.push(entry.name);
  }
  if (foreign.length === 0) return [];
  const names = foreign.slice(0, shownMailboxes).join(', ');
  const more = foreign.length > shownMailboxes ? ` and ${foreign.length - shownMailboxes} more` : '';
  return [
    found('mailbox-not-ours', {
      evidence: `in ${accounts}, ${names}${more}: not all of it belongs to user ${owner.uid}, who has the data directory`,
      remedy: `Give it to that user: chown -R ${owner.uid}:${owner.gid} ${accounts}. Then: posthorn queue retry --site local`,
    }),
  ];
}

/** What is not there is made by the first delivery; and who may not look sees nothing. */
const directoriesIn = async (path: string): Promise<Dirent[]> =>
  ((await unlessClosed(readdir(path, { withFileTypes: true }))) ?? []).filter((entry) => entry.isDirectory());
