/** Whether the tables agree with each other, and each message's octets with their sum. */

import { crc32 } from 'node:zlib';
import type { Database } from 'better-sqlite3';
import { error, type Finding, warning } from './finding.ts';

/** Throws what SQLite does. */
export function checkJobs(database: Database, file: string): Finding[] {
  const homeless = database
    .prepare<[], [string, string]>(
      `SELECT queue_id, group_concat(recipient, ', ') FROM jobs
       WHERE NOT EXISTS (SELECT 1 FROM messages WHERE messages.queue_id = jobs.queue_id) GROUP BY queue_id`,
    )
    .raw()
    .all();
  const done = database
    .prepare<[], string>(
      'SELECT queue_id FROM messages WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.queue_id = messages.queue_id)',
    )
    .pluck()
    .all();
  return [
    ...homeless.map(([queueId, recipients]) =>
      error({ file, table: 'jobs', queueId, what: `is lost, but was to go to ${recipients}` }),
    ),
    ...done.map((queueId) =>
      error({ file, table: 'messages', queueId, what: 'has no recipient, and never leaves the queue' }),
    ),
  ];
}

/** Whether the claims would come across every job that waits (destinations.ts). Throws what SQLite does. */
export function checkDestinations(database: Database, file: string): Finding[] {
  const isOlder = !database.prepare(`SELECT 1 FROM sqlite_master WHERE name = 'destinations'`).get();
  if (isOlder) return [];
  const forgotten = database
    .prepare<[], [string, number]>(
      `SELECT destination, count(*) FROM jobs WHERE claimed_until IS NULL AND NOT EXISTS
         (SELECT 1 FROM destinations WHERE destinations.destination = jobs.destination) GROUP BY destination`,
    )
    .raw()
    .all();
  return forgotten.map(([destination, count]) => {
    const where = destination === '' ? 'mailboxes here' : destination;
    return error({
      file,
      table: 'destinations',
      what: `do not have ${where}, for which ${count} recipients wait`,
    });
  });
}

type OctetsRow = [queueId: string, bytes: number, octets: Buffer, sum: number | null];

/** Throws what SQLite does. */
export function checkOctets(database: Database, file: string): Finding[] {
  const findings: Finding[] = [];
  const rows = database
    .prepare<[], OctetsRow>(
      `SELECT queue_id, iif(spool IS NULL, size_bytes, prefix_bytes), octets, ${sumColumn(database, 'octets_sum')} FROM messages`,
    )
    .raw();
  for (const [queueId, bytes, octets, sum] of rows.iterate()) {
    const found = (what: string) => findings.push(error({ file, table: 'messages', queueId, what }));
    if (octets.length !== bytes) found(`has ${octets.length} octets in the database, of ${bytes}`);
    else if (sum !== null && crc32(octets) !== sum)
      found('has other octets in the database than were accepted');
  }
  return findings;
}

/** NULL in databases of the first version. */
export function sumColumn(database: Database, name: 'octets_sum' | 'spool_sum'): string {
  const has = database
    .prepare<[string], number>(`SELECT 1 FROM pragma_table_info('messages') WHERE name = ?`)
    .get(name);
  return has === undefined ? 'NULL' : name;
}

/** Throws what SQLite does. */
export function checkAliases(database: Database, file: string): Finding[] {
  const broken = database
    .prepare<[], string>('SELECT address FROM aliases WHERE NOT json_valid(targets)')
    .pluck()
    .all();
  return broken.map((address) =>
    warning({ file, table: 'aliases', what: `has an alias ${address} that leads nowhere` }),
  );
}
