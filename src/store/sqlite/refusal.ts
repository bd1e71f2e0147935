/** What keeps a store from being opened, in words, with what to do about it. */

import { errorCode, isDiskFull, noRoom, StoreOpenError } from '../errors.ts';
import { openError } from './schema.ts';

/** Of SQLite's errors and the system's; other errors stay what they are. */
export function refusal(error: unknown, dataDir: string): unknown {
  const code = errorCode(error);
  const translated = openError(error, dataDir);
  if (translated !== error || code === undefined) return translated;
  if (isDiskFull(error)) return noRoom(dataDir, error);
  return new StoreOpenError(
    'not-writable',
    `data directory ${dataDir} cannot be used (${String(error)})${remedies[code] ?? ''}`,
    { cause: error },
  );
}

const owner =
  ': this user may not. Run posthorn as the user that owns the data directory; ' +
  'or, if only some files in it have another owner or mode, give them back (chown, chmod u+rw)';

const remedies: Record<string, string> = {
  EACCES: owner,
  EPERM: owner,
  EROFS:
    ': its file system is mounted read-only. Mount it writable; the kernel makes it read-only where a disk fails',
  EMFILE: ': too many files are open. Raise the limit (ulimit -n)',
};
