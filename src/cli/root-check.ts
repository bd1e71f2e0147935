/** Root's files in the data of another user would be closed to that one: the service could not go on with them. */

import { stat } from 'node:fs/promises';
import { startByHand } from '../setup/by-hand.ts';
import { errorCode } from '../store/errors.ts';
import { userName } from '../util/user-names.ts';
import { CommandError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';

export interface Start {
  dataDir: string;
  program: string;
  /** After `serve`. */
  words: readonly string[];
  /** Of this process; 0 is root. */
  userId: number | undefined;
}

/** Rejects with a CommandError where root would serve what belongs to another user. */
export async function demandOwner({ dataDir, program, words, userId }: Start): Promise<void> {
  if (userId !== 0) return;
  const owner = await stat(dataDir).catch((error) => {
    if (errorCode(error) === 'ENOENT') return undefined; // it is made, and is root's
    throw error;
  });
  if (owner === undefined || owner.uid === 0) return;
  const user = await userName(owner.uid);
  const byHand = startByHand({ user, group: `${owner.gid}`, program, words });
  throw new CommandError(
    exitCodes.noPermission,
    `${dataDir} belongs to ${user}, who could not read what root writes there. ` +
      `Start the service (systemctl start posthorn), or by hand:\n    ${byHand}`,
  );
}
