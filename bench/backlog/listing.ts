/** How long the first page of the queue takes: the operation alone, over the control socket, and the whole command. */

import { join } from 'node:path';
import type { Posthorn } from '../../e2e/peers/posthorn.ts';
import { remoteAdmin } from '../../src/admin/control-client.ts';
import { controlSocketName } from '../../src/net/control-socket.ts';

export interface Listing {
  /** Milliseconds, each from request to answer; the first one finds nothing warmed up. */
  operationMs: number[];
  /** Milliseconds of `posthorn queue list`, most of which is the start of a process. */
  commandMs: number[];
}

const pageSize = 100;
const operations = 20;
const commands = 3;

export async function measureListing(server: Posthorn): Promise<Listing> {
  const admin = await remoteAdmin(join(server.dataDir, controlSocketName));
  if (admin === undefined) throw new Error('the server with the backlog does not run');
  const operationMs = await times(operations, async () => {
    const { jobs } = await admin.listQueue({ limit: pageSize });
    if (jobs.length === 0) throw new Error('the queue is empty');
  });
  await admin.close();
  const commandMs = await times(commands, async () => {
    const { code, output } = await server.command(['queue', 'list']);
    if (code !== 0) throw new Error(`posthorn queue list failed:\n${output.slice(-500)}`);
  });
  return { operationMs, commandMs };
}

async function times(count: number, action: () => Promise<void>): Promise<number[]> {
  const found: number[] = [];
  for (let done = 0; done < count; done += 1) {
    const startedAt = performance.now();
    await action();
    found.push(performance.now() - startedAt);
  }
  return found;
}
