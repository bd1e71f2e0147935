/**
 * Files of certificates, keys and the account with the authority: can they be used at all, and by the user that the server runs
 * as? root, who mostly asks, may read everything, and has often just copied them there.
 */

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { accountFile } from '../net/acme-account.ts';
import { issuedDirectory } from '../net/issued-files.ts';
import { remedyOf, type UnusableFile } from '../records/unusable-file.ts';
import { type Finding, found } from './finding.ts';
import { unlessClosed } from './unless-closed.ts';

export async function examineOwnFiles(
  { dataDir }: Pick<Config, 'dataDir'>,
  unusable: readonly UnusableFile[],
): Promise<Finding[]> {
  const findings = unusable.map(unusableFinding);
  const owner = await findStats(dataDir);
  if (owner === undefined) return findings;
  const told = new Set(unusable.map(({ file }) => file));
  const files = [
    ...(await filesIn(issuedDirectory(dataDir))),
    ...(await filesIn(join(dataDir, 'tls'))),
  ].filter((file) => !told.has(file));
  const closed = await Promise.all(files.map((file) => closedTo(owner, file)));
  return [...findings, ...closed.flat().map((file) => closedFinding(file, owner, dataDir))];
}

/** What the server makes anew by itself is the smaller evil. */
function unusableFinding(unusable: UnusableFile): Finding {
  const { role, file, problem } = unusable;
  const details = { evidence: `${file} ${problem}`, remedy: remedyOf(unusable) };
  if (role === 'account') return found('acme-account-unusable', details);
  return found('certificate-unusable', {
    ...details,
    ...(role !== 'configured' && { severity: 'warning' }),
  });
}

interface Owner {
  uid: number;
  gid: number;
}

function closedFinding(file: string, { uid }: Owner, dataDir: string): Finding {
  const id = file === accountFile(dataDir) ? 'acme-account-unusable' : 'certificate-unusable';
  return found(id, {
    evidence: `${file} may not be read by user ${uid}, who has the data directory`,
    remedy: `Give it to that user: chown ${uid} ${file}`,
    ...(id === 'certificate-unusable' && { severity: 'warning' }),
  });
}

/** By its mode alone, as it is for whoever is not root. */
async function closedTo({ uid, gid }: Owner, file: string): Promise<string[]> {
  const stats = await findStats(file);
  if (stats === undefined || uid === 0) return [];
  const bit = stats.uid === uid ? 0o400 : stats.gid === gid ? 0o040 : 0o004;
  return (stats.mode & bit) === 0 ? [file] : [];
}

async function filesIn(directory: string): Promise<string[]> {
  const names = await unlessClosed(readdir(directory));
  return (names ?? []).map((name) => join(directory, name));
}

/** Before the first start there is nothing; and who may not look finds what matters unusable, which is told above. */
const findStats = (file: string) => unlessClosed(stat(file));
