/**
 * What there is on the Internet before we come, of which each part runs in the network that stands for it: zones, a Postfix that
 * others know as Gmail too, block lists, a time server, an authority for certificates; and letters by swaks.
 */

import { equal } from 'node:assert/strict';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reverseName } from '../../src/dns/reverse.ts';
import { type Finished, start } from '../process.ts';
import type { World } from '../world.ts';
import { alice, configFile, domain, inNetwork, type Networks, theirs } from './bare-machine.ts';
import { delegation, rootRecords } from './internet-dns.ts';
import type { Network } from './network.ts';
import { startPebble } from './pebble.ts';
import { type Postfix, startPostfix } from './postfix.ts';

export const carol = 'carol@example.net';

/** By which a list shows that it answers: 127.0.0.2, in both families (RFC 5782 §5). */
const listEntries = (zone: string): string =>
  ['2.0.0.127', reverseName('0:0:0:0:0:ffff:7f00:2').replace('.ip6.arpa', '')]
    .map((entry) => `${entry}.${zone}. A 127.0.0.2\n`)
    .join('');

/** The root's zone. */
export const root = `${rootRecords}${delegation('com')}
example.net. MX 10 mail.example.net.
example.net. TXT "v=spf1 mx -all"
mail.example.net. A ${theirs.four}
mail.example.net. AAAA ${theirs.six}
${reverseName(theirs.four)}. PTR mail.example.net.
${reverseName(theirs.six)}. PTR mail.example.net.
ietf.org. MX 10 mail.example.net.
pebble.example.net. A ${theirs.four}
${listEntries('zen.spamhaus.org')}${listEntries('bl.spamcop.net')}`;

/** And that of `com`. */
export const com = `${delegation(domain)}gmail.com. MX 10 mail.example.net.
time.cloudflare.com. A ${theirs.four}
${listEntries('psbl.surriel.com')}`;

export const startReceiver = (world: World, { inside }: Network): Promise<Postfix> =>
  startPostfix(world, {
    mailboxes: [carol],
    network: { inside, addresses: Object.values(theirs) },
    parameters: {
      inet_protocols: 'all',
      inet_interfaces: 'all',
      smtpd_client_restrictions: 'reject_unknown_client_hostname',
      mynetworks: `127.0.0.0/8 ${theirs.four}`,
      ...{
        smtp_helo_name: 'mail.example.net',
        smtp_bind_address: theirs.four,
        smtp_bind_address6: theirs.six,
      },
      max_use: '1', // a process keeps the TLSA records that it has seen
      ...{ smtp_tls_security_level: 'dane', smtp_tls_loglevel: '1' },
      ...{ smtp_dns_support_level: 'dnssec', smtp_host_lookup: 'dns', disable_dns_lookups: 'no' },
    },
  });

/** Given to the receiver's Postfix, which brings it to us. */
export async function sendByPostfix(network: Network): Promise<void> {
  const { code, output } = await swaks(network, ['--to', alice, '--from', carol, '--server', theirs.four]);
  equal(code, 0, output);
}

export async function startTime(world: World, { inside }: Network): Promise<void> {
  const script = join(import.meta.dirname, '../peers/network-time.ts');
  const [first = '', ...words] = [...inside, process.execPath, script, theirs.four];
  const server = start(first, words, world.path('time.log'));
  world.atEnd(() => server.stop());
  await server.line(/^serving$/);
}

/** pebble in the place of Let's Encrypt, and what it issues is believed in this world only. */
export async function useAuthority(world: World, { machine, internet }: Networks): Promise<void> {
  const { inside } = internet;
  const pebble = await startPebble(world, { inside, host: 'pebble.example.net', address: theirs.four });
  const folder = join(machine.root, 'etc/posthorn');
  await copyFile((await world.authority()).caFile, join(folder, 'directory-ca.pem'));
  await writeFile(join(folder, 'ca.pem'), await pebble.root());
  const file = join(machine.root, configFile);
  const toml = await readFile(file, 'utf8');
  const believed = '[delivery]\ncaFile = "ca.pem"\n\n';
  const other = `[acme]\ndirectory = "${pebble.directory}"\ncaFile = "directory-ca.pem"\n`;
  await writeFile(file, toml.replace('[acme]\n', `${believed}${other}`));
}

export const swaks = (network: Network, options: readonly string[]): Promise<Finished> =>
  inNetwork(
    network,
    'swaks',
    '--helo',
    'mail.example.net',
    '--local-interface',
    theirs.four,
    '--timeout',
    '10',
    ...options,
  );
