/** The user that the server runs as: one of its own, that nobody can log in as. useradd(8). */

import { constants } from 'node:fs/promises';
import { isThere, type Machine } from './machine.ts';
import type { Owner } from './owner.ts';
import { userName } from './owner.ts';
import { configDirectory, type Places } from './places.ts';
import { SetupError, type StepOutcome } from './step.ts';

export type Who = Pick<Machine, 'run' | 'userId'>;

/**
 * Rejects with a SetupError where files outside a directory of one's own are to be made by somebody who may not: by other than
 * root, or, as in a container, the server's user where the configuration's directory is its own.
 */
export async function demandRoot(machine: Who, places: Places): Promise<void> {
  if (places.isApart || machine.userId === 0) return;
  const isOwn = await isThere(configDirectory(places), constants.W_OK);
  if (isOwn && (await findOwner(machine.run))?.uid === machine.userId) return;
  const remedy = 'Run it as root (sudo), or with --prefix DIR to put everything below a directory of yours.';
  throw new SetupError('user', 'only root can make a user, and write to /etc', remedy);
}

/** Undefined: whoever runs this owns everything. */
export async function ensureUser(
  { run, userId }: Who,
  places: Places,
): Promise<StepOutcome<Owner | undefined>> {
  if (places.isApart)
    return {
      value: undefined,
      state: 'skipped',
      what: 'everything lies in a directory of its own, and belongs to you',
    };
  const found = await findOwner(run);
  if (found?.uid === userId)
    return { value: undefined, state: 'kept', what: `${userName}: that is who runs this` };
  if (found !== undefined) return { value: found, state: 'kept', what: `${userName} exists` };
  const made = await run('useradd', ...newUser(places));
  const owner = await findOwner(run);
  if (owner !== undefined) return { value: owner, state: 'done', what: `${userName}: made, without a login` };
  throw new SetupError(
    'user',
    `the user ${userName} could not be made: ${made?.output.trim() ?? 'there is no useradd'}`,
    `Make a system user and a group of that name, and run quickstart again.`,
  );
}

const newUser = ({ dataDir }: Places): string[] => [
  '--system',
  '--user-group',
  '--home-dir',
  dataDir,
  '--no-create-home',
  '--shell',
  '/usr/sbin/nologin',
  userName,
];

async function findOwner(run: Machine['run']): Promise<Owner | undefined> {
  const [uid, gid] = await Promise.all([run('id', '-u', userName), run('id', '-g', userName)]);
  if (uid?.code !== 0 || gid?.code !== 0) return undefined;
  return { uid: Number(uid.output), gid: Number(gid.output) };
}
