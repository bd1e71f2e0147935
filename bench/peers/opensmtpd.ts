/** OpenSMTPD as a relay: Debian's package as it comes. */

import type { World } from '../../e2e/world.ts';
import { startOverlaid, versionOf } from './overlay.ts';
import type { Peer, Ports } from './relay.ts';

const users = [
  { name: 'opensmtpd', uid: 64_802 },
  { name: 'opensmtpq', uid: 64_803 },
];

export const opensmtpd: Peer = {
  name: 'opensmtpd',
  comesFrom: 'apt-get download opensmtpd',
  async start(world: World, sinkPort: number) {
    const port = await world.port();
    const pid = await startOverlaid(world, {
      name: 'opensmtpd',
      packages: ['opensmtpd'],
      users,
      files: { '/etc/smtpd.conf': opensmtpdConfiguration({ port, sinkPort }) },
      folders: { '/var/spool/smtpd': { mode: 0o711 }, '/var/lib/opensmtpd/empty': {}, '/run': {} },
      command: ['/usr/sbin/smtpd', '-F'],
      port,
    });
    const description = `OpenSMTPD ${await versionOf('opensmtpd')}, default limits, but for the messages of a session`;
    return { name: 'opensmtpd', port, pid, description };
  },
};

/** smtpd.conf(5). By default it turns a session away after a hundred messages, which ends the generator. */
export function opensmtpdConfiguration({ port, sinkPort }: Ports): string {
  return `smtp limit max-mails 1000000
listen on 127.0.0.1 port ${port} hostname opensmtpd.example.net
action "sink" relay host smtp://127.0.0.1:${sinkPort}
match from any for any action "sink"
`;
}
