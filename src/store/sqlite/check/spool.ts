/** Whether each spool file that a message names is there and as it was accepted, and whether each that is there is named. */

import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { findTrouble } from '../../content.ts';
import { namesIn } from '../../names-in.ts';
import { spoolDirectory } from '../../spool.ts';
import { error, type Finding, warning } from './finding.ts';
import { sumColumn } from './rows.ts';

type SpoolRow = [queueId: string, name: string, sizeBytes: number, sum: number | null];

/** Rejects with what SQLite throws. */
export async function checkSpool(database: Database, dataDir: string): Promise<Finding[]> {
  const directory = spoolDirectory(dataDir);
  const rows = database
    .prepare<[], SpoolRow>(
      `SELECT queue_id, spool, size_bytes - prefix_bytes, ${sumColumn(database, 'spool_sum')} FROM messages
       WHERE spool IS NOT NULL`,
    )
    .raw()
    .all();
  const findings: Finding[] = [];
  for (const [queueId, name, sizeBytes, sum] of rows) {
    const path = join(directory, name);
    const trouble = await findTrouble({ kind: 'spool', path, sizeBytes, ...(sum !== null && { sum }) });
    if (trouble !== undefined)
      findings.push(error({ file: path, queueId, what: `cannot be read: ${trouble.message}` }));
  }
  const named = new Set(rows.map(([, name]) => name));
  const fate = findings.length > 0 ? 'the next start sets it aside' : 'the next start removes it';
  const orphans = (await namesIn(directory)).filter((name) => !named.has(name));
  return [
    ...findings,
    ...orphans.map((name) =>
      warning({ file: join(directory, name), what: `belongs to no message; ${fate}` }),
    ),
  ];
}
