/**
 * Marks messages of a Maildir as seen, as mail readers do: `new/NAME` becomes `cur/NAME:2,S`. For whoever reads the
 * same Maildir by another way, such as mutt or a webmail. Format: https://cr.yp.to/proto/maildir.html.
 */

import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode } from '../store/errors.ts';
import type { MailboxEntry } from '../store/mailbox.ts';

/** Rejects with the system's error. Not synced: a mark that a crash takes back shows a message as new once more. */
export async function markSeen(entries: Iterable<MailboxEntry>): Promise<void> {
  for (const { name, path } of entries) {
    const seen = seenName(name);
    if (seen !== undefined) await renameIfThere(path, join(dirname(dirname(path)), 'cur', seen));
  }
}

/** Flags are letters in ASCII order after `:2,`. Undefined where there is S already, or flags of another kind. */
function seenName(name: string): string | undefined {
  const [base, flags = ''] = name.split(':2,');
  if (flags.includes('S') || base === undefined || base.includes(':')) return undefined;
  return `${base}:2,${[...flags, 'S'].sort().join('')}`;
}

/** A message that is not where it was has been renamed by another reader, who knows better what its user has seen. */
async function renameIfThere(path: string, target: string): Promise<void> {
  try {
    await rename(path, target);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}
