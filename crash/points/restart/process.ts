/** A restart as users do it: `bin/posthorn serve` on the wreck, with the stranger on a socket. Checks on here.ts. */

import { dirname, join } from 'node:path';
import { eventually } from '../../../e2e/wait.ts';
import { type World, withWorld } from '../../../e2e/world.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { startRemote } from '../script/remote.ts';
import { newServer, type Server } from '../script/server.ts';
import { newStranger } from '../script/stranger.ts';
import { type Findings, nothingFound } from './findings.ts';
import { examineStore } from './here.ts';

/** A queue that has not run empty by then has hung. */
const drainMs = 20_000;

/** Resolves whatever happens: that a server does not start is a finding too. */
export async function restartProcess(program: string, dataDir: string): Promise<Findings> {
  return withWorld((world) =>
    serve(world, program, dataDir).catch((error: unknown) => ({
      ...nothingFound,
      failure: `bin/posthorn serve: ${String(error)}\n${world.logTails(5).join('\n')}`,
    })),
  );
}

async function serve(world: World, program: string, dataDir: string): Promise<Findings> {
  const stranger = newStranger(false);
  await using remote = await startRemote(stranger);
  const directory = join(dirname(dataDir), 'posthorn');
  const server = await newServer(world, { directory, dataDir, program, remotePort: remote.port });
  await server.start();
  await emptyQueue(server);
  await server.stop();
  // The store as it was left, read at leisure.
  return { ...(await examineStore(dataDir, systemClock)), sent: stranger.taken };
}

/** What was deferred before the cut is not due yet, and is asked for by hand. */
async function emptyQueue(server: Server): Promise<void> {
  await server.admin(async (admin) => {
    const look = async () => {
      await admin.retryQueue({});
      return (await admin.listQueue({ limit: 1 })).jobs.length === 0 || undefined;
    };
    await eventually('an empty queue', look, drainMs);
  });
}
