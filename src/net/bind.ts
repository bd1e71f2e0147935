/** Can anything be sent from an address? Asks the system, without a connection. */

import { once } from 'node:events';
import { createServer } from 'node:net';

/** Rejects with the system's error where `address` is none of this machine's, or must not be used. */
export async function canBind(address: string): Promise<void> {
  const server = createServer();
  server.listen(0, address);
  await once(server, 'listening'); // rejects with an 'error' event
  server.close();
  await once(server, 'close');
}
