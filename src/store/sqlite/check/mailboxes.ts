/** Whether delivered mail is as long as its name says (`,S=` in Maildir file names). */

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../errors.ts';
import { namesIn } from '../../names-in.ts';
import { error, type Finding } from './finding.ts';

/** Rejects with the system's error. */
export async function checkMailboxes(dataDir: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const account of await namesIn(join(dataDir, 'accounts'))) {
    const maildir = join(dataDir, 'accounts', account, 'Maildir');
    const folders = (await namesIn(maildir)).filter((name) => name.startsWith('.'));
    for (const folder of ['', ...folders])
      for (const part of ['new', 'cur'])
        findings.push(...(await checkDirectory(join(maildir, folder, part))));
  }
  return findings;
}

async function checkDirectory(directory: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const name of await namesIn(directory)) {
    const [, sizeText] = /,S=(\d+)/.exec(name) ?? [];
    if (sizeText === undefined) continue;
    const file = join(directory, name);
    const size = await sizeOf(file);
    if (size !== undefined && size !== Number(sizeText))
      findings.push(error({ file, what: `has ${size} octets of ${sizeText}` }));
  }
  return findings;
}

/** Undefined where a mail program has removed or renamed it meanwhile. */
async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size;
  } catch (reason) {
    if (errorCode(reason) === 'ENOENT') return undefined;
    throw reason;
  }
}
