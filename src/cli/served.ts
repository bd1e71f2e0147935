/** Whether a server runs on a data directory. */

import { controlPath } from '../admin/open-admin.ts';
import { connectControl } from '../net/control-socket.ts';
import { CommandError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';

/** A server may have the store although nobody has the lock: its folder may have been moved under it. */
export async function refuseWhileServed(dataDir: string): Promise<void> {
  const connection = await connectControl(controlPath({ dataDir }));
  if (connection === undefined) return;
  connection.close();
  throw new CommandError(
    exitCodes.tryLater,
    `a server is running on data directory ${dataDir}: it answers at ${controlPath({ dataDir })}. Stop it first.`,
  );
}
