/** postgrey(8), the greylisting policy server of Debian's Postfix, on a port and with a database of a world's own. */

import { chown, mkdir } from 'node:fs/promises';
import { start } from '../process.ts';
import { listening } from '../wait.ts';
import type { World } from '../world.ts';

export interface PostgreyOptions {
  /** A triplet is let in after this long. */
  delaySeconds: number;
  /** `%s` stands for the seconds that are left. */
  text: string;
}

/** uid and gid of nobody. */
const nobody = 65_534;

/** Resolves to its port, for `check_policy_service inet:127.0.0.1:PORT`. */
export async function startPostgrey(world: World, { delaySeconds, text }: PostgreyOptions): Promise<number> {
  const port = await world.port();
  const dir = world.path('postgrey');
  await mkdir(dir, { recursive: true });
  await chown(dir, nobody, nobody);
  const options = [
    `--inet=127.0.0.1:${port}`,
    `--dbdir=${dir}`,
    '--user=nobody',
    '--group=nogroup',
    `--delay=${delaySeconds}`,
    `--greylist-text=${text}`,
    '--whitelist-clients=/dev/null',
    '--whitelist-recipients=/dev/null',
    '--auto-whitelist-clients=0',
  ];
  const running = start('postgrey', options, world.path('postgrey.log'));
  world.atEnd(() => running.stop());
  await listening(port);
  return port;
}
