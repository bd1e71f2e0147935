/** A disk for scenarios: so small that it can be filled, in a mount namespace of its own. Knows no mail word. */

import { mkdir } from 'node:fs/promises';
import { run, runOk, start } from './process.ts';
import type { World } from './world.ts';

export interface SmallDisk {
  dir: string;
  /** The command that runs another where the disk is mounted. */
  inside: readonly string[];
  /** A path on the disk as this process can reach it. */
  seenFromOutside(path: string): string;
  /** Takes whatever room is left. */
  fill(): Promise<void>;
  /** Removes what was put there to fill it. */
  makeRoom(): Promise<void>;
  /** Makes it one that can be read only, as the kernel does with a disk that fails; or writable again. */
  setWritable(writable: boolean): Promise<void>;
}

/**
 * A tmpfs of 64 MiB, three quarters of it taken, in a mount namespace that a sleeping process keeps alive: when that
 * ends, the disk is gone, whatever else went wrong. Undefined where the kernel does not allow it.
 */
export async function smallDisk(world: World): Promise<SmallDisk | undefined> {
  const dir = world.path('small');
  await mkdir(dir);
  if ((await run('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', dir])).code !== 0) return undefined;
  const fill = `mount -t tmpfs -o size=64m none ${dir} && head -c 48M /dev/zero > ${dir}/filler`;
  const holder = start(
    'unshare',
    ['-m', 'sh', '-c', `${fill} && echo mounted && exec sleep infinity`],
    world.path('disk-log'),
  );
  await holder.line(/^mounted$/);
  world.atEnd(() => holder.kill());
  const inside = ['nsenter', '-t', String(holder.pid), '-m', '--'] as const;
  const seenFromOutside = (path: string) => `/proc/${holder.pid}/root${path}`;
  const fillUp = async () => {
    // `cat` fails where nothing more fits.
    await run('sh', ['-c', `cat /dev/zero >> ${seenFromOutside(`${dir}/filler`)}`]);
  };
  const makeRoom = async () => {
    await runOk('rm', [seenFromOutside(`${dir}/filler`)]);
  };
  const setWritable = async (writable: boolean) => {
    await runOk(inside[0], [...inside.slice(1), 'mount', '-o', `remount,${writable ? 'rw' : 'ro'}`, dir]);
  };
  return { dir, inside, seenFromOutside, fill: fillUp, makeRoom, setWritable };
}
