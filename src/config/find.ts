/** Which configuration file a command means: the one it is told, or the first of the usual places. */

import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ConfigError } from './problem.ts';

export interface Whereabouts {
  /** The `--config` option. */
  flag: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
}

const systemFile = '/etc/posthorn/posthorn.toml';

/**
 * Resolves to an absolute path: `--config`, `$POSTHORN_CONFIG`, `./posthorn.toml`, `/etc/posthorn/posthorn.toml`.
 * A file that was named is taken without looking; rejects with a ConfigError when none was and none is there.
 */
export async function findConfigFile({ flag, env, cwd }: Whereabouts): Promise<string> {
  const named = flag ?? (env.POSTHORN_CONFIG || undefined);
  if (named !== undefined) return resolve(cwd, named);
  const places = [resolve(cwd, 'posthorn.toml'), systemFile];
  for (const place of places) if (await exists(place)) return place;
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

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
