/**
 * Looks at everything that is durable, as far as that goes without a server: files against their sums, SQLite's own
 * structure, the tables against each other, each message's octets, the spool, the mailboxes. Changes nothing.
 */

import Database from 'better-sqlite3';
import { type Evidence, examineFiles } from '../pages/examine.ts';
import { findRemains } from '../remains.ts';
import { type StoreFiles, storeFiles } from '../store-files.ts';
import { CopyTooLargeError } from './copy.ts';
import { error, type Finding, unchecked, warning } from './finding.ts';
import { checkMailboxes } from './mailboxes.ts';
import { openReadOnly } from './read-only.ts';
import { checkAliases, checkDestinations, checkJobs, checkOctets } from './rows.ts';
import { checkSpool } from './spool.ts';
import { checkStructure } from './structure.ts';

export type { Finding };

/** To be called under the store's lock. Rejects with the system's error where something may not be read. */
export async function checkStore(dataDir: string): Promise<Finding[]> {
  const files = storeFiles(dataDir);
  const { damage, evidence } = examineFiles(files, { maxChanged: Number.POSITIVE_INFINITY });
  const findings = damage.length > 0 ? damage.map(error) : checkEvidence(files, evidence);
  if (evidence === 'new')
    return [...findings, ...findRemains(dataDir).map(error), ...(await checkMailboxes(dataDir))];
  // Of a log that is damaged, SQLite sees the beginning only: what it has would be compared with what the spool has now.
  const isAsItWas = damage.every(({ file }) => file !== files.log);
  return [...findings, ...(await checkDatabase(dataDir, isAsItWas)), ...(await checkMailboxes(dataDir))];
}

/** What could not be looked at. */
function checkEvidence(files: StoreFiles, evidence: Evidence): Finding[] {
  if (evidence === 'note')
    return [
      warning({ file: files.sums, what: 'is missing: of the pages, only broken structure can be seen' }),
    ];
  if (evidence !== 'none') return [];
  const what =
    'is missing, and so are the sums: it cannot be seen whether the end of the log is lost, and mail with it';
  return [warning({ file: files.note, what })];
}

async function checkDatabase(dataDir: string, isAsItWas: boolean): Promise<Finding[]> {
  const files = storeFiles(dataDir);
  const file = files.database;
  try {
    using connection = openReadOnly(files);
    const { database } = connection;
    const attempt = (table: string, look: () => Finding[] | Promise<Finding[]>) =>
      unlessUnreadable(file, table, look);
    return [
      ...(await attempt('all tables', () => checkStructure(database, file))),
      ...(await attempt('jobs', () => checkJobs(database, file))),
      ...(await attempt('destinations', () => checkDestinations(database, file))),
      ...(await attempt('messages', () => checkOctets(database, file))),
      ...(await attempt('aliases', () => checkAliases(database, file))),
      ...(isAsItWas ? await attempt('messages', () => checkSpool(database, dataDir)) : []),
    ];
  } catch (reason) {
    return [reason instanceof CopyTooLargeError ? tooLarge(file, reason) : unreadable(file, reason)];
  }
}

function tooLarge(file: string, { bytes }: CopyTooLargeError): Finding {
  const what =
    'was not looked at by SQLite, which can make no files on this disk; and a copy in memory has no room ' +
    `(${Math.ceil(bytes / 2 ** 20)} MiB). Copy the data directory to another disk and check it there`;
  return unchecked({ file, what });
}

/** SQLite gives up at damage that it meets: then the rest of what was looked at is not known. */
async function unlessUnreadable(
  file: string,
  table: string,
  look: () => Finding[] | Promise<Finding[]>,
): Promise<Finding[]> {
  try {
    return await look();
  } catch (reason) {
    return [{ ...unreadable(file, reason), table }];
  }
}

function unreadable(file: string, reason: unknown): Finding {
  if (!(reason instanceof Database.SqliteError)) throw reason;
  return error({ file, what: `cannot be read to its end: ${reason.message}` });
}
