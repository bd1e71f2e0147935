/** HAProxy in front of a server, passing connections on as they are, with a header that says whose they are. */

import { writeFile } from 'node:fs/promises';
import { start } from '../process.ts';
import { listening } from '../wait.ts';
import type { World } from '../world.ts';

export interface HaproxyOptions {
  /** Where they go. */
  port: number;
  /** Of the header. */
  version: 1 | 2;
}

/** Resolves to its own port, which takes connections. Looks after the server behind it: with a header that names nobody. */
export async function startHaproxy(world: World, { port: behind, version }: HaproxyOptions): Promise<number> {
  const port = await world.port();
  const file = world.path(`haproxy-${port}.cfg`);
  const header = version === 2 ? 'send-proxy-v2' : 'send-proxy';
  await writeFile(
    file,
    [
      'defaults',
      '  mode tcp',
      '  timeout connect 10s',
      '  timeout client 1m',
      '  timeout server 1m',
      'listen mail',
      `  bind 127.0.0.1:${port}`,
      `  server posthorn 127.0.0.1:${behind} ${header} check inter 200ms`,
      '',
    ].join('\n'),
  );
  const running = start('haproxy', ['-db', '-f', file], world.path(`haproxy-${port}.log`));
  world.atEnd(() => running.stop());
  await listening(port);
  return port;
}
