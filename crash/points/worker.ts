/**
 * A process that goes through stretches of recordings on behalf of points.ts, as it is told over its channel. Ends with
 * the channel, and with it everything that it has started.
 */

import { join } from 'node:path';
import { parseConfig } from '../../src/config/load.ts';
import type { Answer, Stretch } from './crew.ts';
import type { Wreck } from './disk/wreck.ts';
import { Explorer } from './explore.ts';
import { readRecording } from './recording.ts';
import type { Findings } from './restart/findings.ts';
import { restartHere } from './restart/here.ts';
import { clear, layOut, scratchDirectory } from './restart/lay-out.ts';
import { restartProcess } from './restart/process.ts';
import { configuration } from './script/server.ts';

/** So many restarts are in this process before one is of a real server. */
const realEvery = 50;

const nowhere = '/nowhere/posthorn.toml';

const config = await parseConfig(configuration('/nowhere', { smtp: 1, pop3: 2 }, 3), nowhere, {
  checkFiles: false,
});

const scratch = await scratchDirectory();

process.on('exit', () => clear(scratch));

process.on('disconnect', () => process.exit());

const explorers = new Map<string, Explorer>();

export let restarts = 0;

async function explorerOf({ recording: directory, seed, program }: Stretch): Promise<Explorer> {
  const known = explorers.get(directory);
  if (known !== undefined) return known;
  const recording = await readRecording(directory);
  const restart = (wreck: Wreck) => restartOn(wreck, recording.dataDir, program);
  const explorer = new Explorer({ recording, seed, restart });
  explorers.set(directory, explorer);
  return explorer;
}

async function restartOn(wreck: Wreck, dataDir: string, program: string): Promise<Findings> {
  restarts += 1;
  const directory = join(scratch, String(restarts));
  layOut(wreck, directory);
  const isReal = restarts % realEvery === 0;
  const findings = isReal
    ? await restartProcess(program, join(directory, dataDir))
    : await restartHere(config, join(directory, dataDir));
  clear(directory);
  return findings;
}

const answer = (answered: Answer) => process.send?.(answered);

process.on('message', (stretch: Stretch) => {
  explorerOf(stretch)
    .then((explorer) => explorer.explore(stretch))
    .then(
      (explored) => answer({ explored }),
      (error: unknown) => answer({ failure: error instanceof Error ? (error.stack ?? '') : String(error) }),
    );
});
