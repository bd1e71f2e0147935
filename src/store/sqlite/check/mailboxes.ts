/** Whether delivered mail is as long as its name says (`,S=` in Maildir file names). */

import { join } from 'node:path';
import { namesIn } from '../../names-in.ts';
import { sizeOf } from '../../size-of.ts';
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
    // Undefined where a mail program has removed or renamed it meanwhile.
    const size = await sizeOf(file);
    if (size !== undefined && size !== Number(sizeText))
      findings.push(error({ file, what: `has ${size} octets of ${sizeText}` }));
  }
  return findings;
}
