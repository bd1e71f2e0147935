/** Which configuration file a command means: the one it is told, or the first of the usual places. */

import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ConfigError } from './problem.ts';

export interface Whereabouts {
  /** Of the whole machine. Default: /etc/posthorn/posthorn.toml. */
  systemFile?: string;
  /** The `--config` option. */
  flag: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
}

const usualFile = '/etc/posthorn/posthorn.toml';

/**
 * Resolves to an absolute path: `--config`, `$POSTHORN_CONFIG`, `./posthorn.toml`, `/etc/posthorn/posthorn.toml`.
 * A file that was named is taken without looking; rejects with a ConfigError when none was and none is there.
 */
export async function findConfigFile({
  flag,
  env,
  cwd,
  systemFile = usualFile,
}: Whereabouts): Promise<string> {
  const named = flag ?? (env.POSTHORN_CONFIG || undefined);
  if (named !== undefined) return resolve(cwd, named);
  const ownFile = resolve(cwd, 'posthorn.toml');
  if ((await look(ownFile)) === 'there') return ownFile;
  // One that this user may not see is there for all we know: who reads it is told that.
  if ((await look(systemFile)) !== 'absent') return systemFile;
  const places = [ownFile, systemFile];
  throw new ConfigError([
    {
      file: places.join(', '),
      key: '',
      what: 'no configuration file is there',
      remedy:
        'Name one with --config FILE or $POSTHORN_CONFIG. To look around without one: posthorn playground',
    },
  ]);
}

async function look(path: string): Promise<'there' | 'absent' | 'unseen'> {
  try {
    await access(path);
    return 'there';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'absent' : 'unseen';
  }
}
