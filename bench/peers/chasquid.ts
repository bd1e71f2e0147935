/**
 * chasquid as a relay. It knows neither trusted networks nor a next hop, so the mail goes to a local alias that stands
 * for an address elsewhere, whose MX the name server of the benchmark says is the sink.
 */

import { readFile } from 'node:fs/promises';
import type { World } from '../../e2e/world.ts';
import { zone } from '../../src/dns/zone.ts';
import type { ZoneData } from '../../src/dns/zone-data.ts';
import { serveZone } from '../../src/net/dns-server.ts';
import { requireRoot, startOverlaid, versionOf } from './overlay.ts';
import type { Peer } from './relay.ts';

const user = { name: '_chasquid', uid: 64_804 };

/** Go's resolver asks at port 53 only; nobody else listens at this address of the loopback network. */
const nameServer = '127.53.53.53';
const hostname = 'chasquid.example.com';
const etc = '/etc/chasquid';

export const chasquid: Peer = {
  name: 'chasquid',
  comesFrom: 'apt-get download chasquid',
  async start(world: World, sinkPort: number) {
    requireRoot();
    const records: ZoneData = {
      'example.net': { MX: [[10, 'sink.example.net']] },
      'sink.example.net': { A: ['127.0.0.1'] },
    };
    const dns = await serveZone(zone(records), { address: nameServer, port: 53 });
    world.atEnd(() => dns.close());
    const certificate = await (await world.authority()).issue(hostname);
    const port = await world.port();
    const pid = await startOverlaid(world, {
      name: 'chasquid',
      packages: ['chasquid'],
      users: [user],
      files: {
        '/etc/resolv.conf': `nameserver ${nameServer}\n`,
        [`${etc}/chasquid.conf`]: chasquidConfiguration(port),
        [`${etc}/domains/example.com/aliases`]: 'recipient: recipient@example.net\n',
        [`${etc}/certs/${hostname}/fullchain.pem`]: await readFile(certificate.cert, 'utf8'),
        [`${etc}/certs/${hostname}/privkey.pem`]: await readFile(certificate.key, 'utf8'),
      },
      folders: { '/var/lib/chasquid': {} },
      command: ['/usr/bin/chasquid', `-config_dir=${etc}`, `-testing__outgoing_smtp_port=${sinkPort}`],
      port,
    });
    const description = `chasquid ${await versionOf('chasquid')}, by an alias to an address elsewhere`;
    return { name: 'chasquid', port, pid, description, recipient: 'recipient@example.com' };
  },
};

/** chasquid.conf's text protobuf. Without a spam filter and without access by users of the machine. */
export function chasquidConfiguration(port: number): string {
  return `hostname: "${hostname}"
smtp_address: "127.0.0.1:${port}"
data_dir: "/var/lib/chasquid"
mail_log_path: "/var/lib/chasquid/mail.log"
max_data_size_mb: 50
`;
}
