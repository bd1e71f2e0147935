/** A restart as users do it: `bin/posthorn serve` on the wreck, with the stranger on a socket. Checks on here.ts. */

import { dirname, join } from 'node:path';
import { type World, withWorld } from '../../../e2e/world.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { startRemote } from '../script/remote.ts';
import { newServer } from '../script/server.ts';
import { newStranger } from '../script/stranger.ts';
import { type Findings, nothingFound } from './findings.ts';
import { examineStore } from './here.ts';

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
  await server.emptied();
  await server.stop();
  // The store as it was left, read at leisure.
  return { ...(await examineStore(dataDir, systemClock)), sent: stranger.taken };
}
