/** Plays a scene with the real server under the recorder, and keeps what was recorded. */

import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type World, withWorld } from '../../../e2e/world.ts';
import { buildRecorder, recordingEnvironment } from '../../recorder/build.ts';
import { type Facts, logFile, readRecording, writeFacts } from '../recording.ts';
import { type ActName, acts, addFirstAccount } from './acts.ts';
import { checkRecording } from './check-recording.ts';
import { startRemote } from './remote.ts';
import { newServer } from './server.ts';
import { Stage } from './stage.ts';
import { newStranger } from './stranger.ts';

export interface Scene {
  name: string;
  acts: readonly ActName[];
  /** Of the time, so many parts are spent on it while there is something left to look at. Default: 1. */
  share?: number;
  /** Moments that are looked at in one go; fewer where each takes long. Default: 10. */
  together?: number;
}

export const scenes: readonly Scene[] = [
  {
    name: 'mail',
    acts: [
      'mailbox',
      'remote',
      'large',
      'deferred',
      'bounced',
      'handedIn',
      'accounts',
      'reading',
      'burst',
      'killed',
      'restarted',
    ],
    share: 3,
  },
  { name: 'kills', acts: ['killedInCommit', 'killedInSettling', 'killedInDelivery', 'killedInSpool'] },
  // Each of its disks has a log of 16 MiB.
  { name: 'checkpoint', acts: ['checkpoint', 'mailbox', 'bounced', 'restarted'], together: 2 },
];

/** Long enough that what comes while a commit is under way shares the next one. */
const syncMicroseconds = 300;

export interface RecordOptions {
  scene: Scene;
  /** `bin/posthorn` of the tree under test. */
  program: string;
  /** Where the recording is kept: an existing folder without symbolic links in its name. */
  directory: string;
  /** For the recorded processes. */
  environment: Record<string, string>;
}

/** Rejects where the script does not run as written, or the recorder missed something. */
export async function record(options: RecordOptions): Promise<void> {
  await withWorld((world) =>
    play(world, options).catch((error: unknown) => {
      throw new Error(`Scene "${options.scene.name}": ${String(error)}\n${world.logTails(10).join('\n')}`, {
        cause: error,
      });
    }),
  );
}

async function play(world: World, { scene, program, directory, environment }: RecordOptions): Promise<void> {
  const root = join(directory, 'disk');
  await mkdir(root);
  const library = await buildRecorder(world.path());
  const stranger = newStranger(true);
  await using remote = await startRemote(stranger);
  const log = logFile(directory);
  const killFile = world.path('kill');
  const server = await newServer(world, {
    directory: world.path('posthorn'),
    dataDir: join(root, 'data'),
    program,
    environment: {
      ...environment,
      ...recordingEnvironment({ library, root, logFile: log, syncMicroseconds, killFile }),
    },
    remotePort: remote.port,
  });
  const stage = new Stage({ server, stranger, logFile: log, killFile });
  await addFirstAccount(stage);
  await server.start();
  for (const act of scene.acts) await acts[act](stage);
  await server.stop();
  const facts: Facts = {
    scene: scene.name,
    root,
    rootInode: (await stat(root)).ino,
    dataDir: 'data',
    ports: { ...server.ports, remote: remote.port },
    letters: stage.letters,
    known: stage.known,
    watchedFrom: stage.watchedFrom,
  };
  await writeFacts(directory, facts);
  await checkRecording(await readRecording(directory));
}
