/**
 * From a bare machine to mail that arrives, unattended: `posthorn quickstart`, its zone file given to NSD, mail in from a Postfix
 * and out to it, with DANE: the zone is signed. In a network of its own, with an /etc of its own; the server runs as the user that was made for it.
 */

import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict';
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reverseName } from '../../src/dns/reverse.ts';
import { arrival, countMaildir } from '../maildir.ts';
import {
  delegation,
  type InternetDns,
  nameServerAddresses,
  rootRecords,
  startInternetDns,
} from '../peers/internet-dns.ts';
import { connectNetworks, type Network, startNetwork } from '../peers/network.ts';
import { startPebble } from '../peers/pebble.ts';
import { plantFaults } from '../peers/plant-faults.ts';
import { type Postfix, startPostfix } from '../peers/postfix.ts';
import { askPython } from '../peers/verifiers.ts';
import { type Finished, run, start } from '../process.ts';
import { scenario } from '../runner.ts';
import { eventually } from '../wait.ts';
import type { World } from '../world.ts';

const domain = 'example.com';
const alice = 'alice@example.com';
const carol = 'carol@example.net';
const ours = { four: '203.0.113.7', six: '2001:db8:7::7' };
const theirs = { four: '203.0.113.9', six: '2001:db8:9::9' };
const configFile = '/etc/posthorn/posthorn.toml';
const program = join(import.meta.dirname, '../../bin/posthorn');
/** From nothing to mail in both directions. */
const limitMs = 60_000;

/** By which a list shows that it answers: 127.0.0.2, in both families (RFC 5782 §5). */
const listEntries = (zone: string): string =>
  ['2.0.0.127', reverseName('0:0:0:0:0:ffff:7f00:2').replace('.ip6.arpa', '')]
    .map((entry) => `${entry}.${zone}. A 127.0.0.2\n`)
    .join('');

/** What there is before we come: a receiver, whom others know as Gmail, too; block lists, a time server. */
const root = `${rootRecords}${delegation('com')}
example.net. MX 10 mail.example.net.
example.net. TXT "v=spf1 mx -all"
mail.example.net. A ${theirs.four}
mail.example.net. AAAA ${theirs.six}
${reverseName(theirs.four)}. PTR mail.example.net.
${reverseName(theirs.six)}. PTR mail.example.net.
ietf.org. MX 10 mail.example.net.
pebble.example.net. A ${theirs.four}
${listEntries('zen.spamhaus.org')}${listEntries('bl.spamcop.net')}`;
const com = `${delegation(domain)}gmail.com. MX 10 mail.example.net.
time.cloudflare.com. A ${theirs.four}
${listEntries('psbl.surriel.com')}`;

/** Loopback's proxies and the rest of /etc stay as they are; what is written goes into memory, and is gone at the end. */
const ownEtc = (layers: string): string[] => [
  `mount -t tmpfs tmpfs ${layers}`,
  ...['etc', 'var/lib'].flatMap((path) => {
    const [upper, work] = ['upper', 'work'].map((kind) => `${layers}/${path.replace('/', '-')}-${kind}`);
    return [
      `mkdir ${upper} ${work}`,
      `mount -t overlay overlay -o lowerdir=/${path},upperdir=${upper},workdir=${work} /${path}`,
    ];
  }),
];

interface Printed {
  account: { address: string; password?: string };
  steps: { step: string; state: string; what: string }[];
  records: { domain: string; name: string; type: string; data: string; where: string; notYet?: string }[];
}

export const quickstart = scenario('quickstart: from nothing to mail', async ({ world, step, skip, say }) => {
  const begun = performance.now();
  const networks = await startNetworks(world);
  if (networks === undefined) {
    skip('a machine of its own', 'namespaces or overlays are not permitted here');
    return;
  }
  const { machine: network, internet } = networks;
  const dns = await startInternetDns(world, [internet, network], {
    zones: { '.': root, com, [domain]: '' },
    signed: { zone: domain, parent: 'com' },
  });
  const postfix = await startReceiver(world, internet);
  await startTime(world, internet);
  const command = commandIn(network);
  const zoneText = async () => (await command('dns', 'records', domain, '--zone')).stdout.toString();
  let printed: Printed;

  await step('one command makes a server, unattended', async () => {
    const { code, stdout, output } = await command(
      'quickstart',
      domain,
      '--user',
      'alice',
      '--no-systemd',
      '--json',
    );
    equal(code, 0, output);
    printed = JSON.parse(stdout.toString());
    deepEqual(
      printed.steps.filter(({ state }) => state === 'failed'),
      [],
    );
    equal(printed.account.address, alice);
    match(
      printed.steps.find(({ step: name }) => name === 'port 25 out')?.what ?? '',
      /open: gmail\.com answers/,
    );
  });

  await step('run again it changes nothing, and shows no password', async () => {
    const before = await filesOf(network);
    const { code, output } = await command('quickstart', domain, '--user', 'alice', '--no-systemd');
    equal(code, 0, output);
    doesNotMatch(output, /shown this once/);
    deepEqual(await filesOf(network), before);
  });

  await step('its unit leaves little to attack: systemd-analyze says 2.0 at most', async () => {
    const unit = '/etc/posthorn/systemd/posthorn.service';
    const { output } = await inNetwork(
      network,
      'systemd-analyze',
      'security',
      '--offline=true',
      '--no-pager',
      unit,
    );
    const [, exposure = '10'] = /Overall exposure level for posthorn\.service: ([\d.]+)/.exec(output) ?? [];
    ok(Number(exposure) <= 2, output);
  });

  await step('the zone file that it prints is one that NSD takes', async () => {
    const text = await zoneText();
    match(text, /^_25\._tcp\.mx\.example\.com\. .* TLSA {2}3 1 1 [\da-f]{64}$/m);
    await enterRecords(dns, text, printed);
  });

  await step('an edited configuration is taken as it is: another authority', async () => {
    await useAuthority(world, networks);
    const { code, output } = await command('config', 'check');
    equal(code, 0, output);
  });

  await step(
    'the server starts as its own user, which may listen on low ports and nothing more',
    async () => {
      await startServer(world, network);
    },
  );

  await step('certificates come by ACME, for the server and for what the web serves', async () => {
    const issued = (name: string) => join(network.root, 'var/lib/posthorn/acme', `${name}.${domain}.pem`);
    const isThere = (file: string) => stat(file).then(Boolean, () => undefined);
    for (const name of ['mx', 'mta-sts'])
      await eventually(`a certificate for ${name}`, () => isThere(issued(name)));
  });

  await step('only now the records announce MTA-STS, in mode testing', async () => {
    equal(announcementOf(printed)?.notYet?.includes('no certificate of this server'), true);
    const { stdout } = await command('dns', 'records', domain, '--json');
    printed = { ...printed, records: JSON.parse(stdout.toString()).records };
    equal(announcementOf(printed)?.notYet, undefined);
    await dns.enter(domain, await zoneText());
  });

  await step('P1: swaks brings a letter to the new account, and to its postmaster', async () => {
    for (const to of [alice, `postmaster@${domain}`]) {
      const { code, output } = await swaks(internet, ['--to', to, '--from', carol, '--server', ours.four]);
      equal(code, 0, output);
    }
    const inbox = join(network.root, 'var/lib/posthorn/accounts', alice, 'Maildir');
    await eventually('two letters', async () => ((await countMaildir(inbox)) === 2 ? true : undefined));
  });

  await step(
    'P4: swaks sends one with the password that was shown, and Postfix finds it authentic',
    async () => {
      const { password = '' } = printed.account;
      const login = ['--auth-user', alice, '--auth-password', password, '--tls-on-connect'];
      const { code, output } = await swaks(internet, [
        ...['--to', carol, '--from', alice, '--server', ours.four, '--port', '465'],
        ...login,
        ...['--header', 'Subject: first letter'],
      ]);
      equal(code, 0, output);
      const letter = await arrival(postfix.maildir(carol), 'first letter');
      match(letter.toString('latin1'), /^Received: from mx\.example\.com \(mx\.example\.com \[/m);
      const { signatures } = await askPython({ zone: textsOf(printed), verify: [letter] });
      deepEqual(signatures, [[true, true]]);
    },
  );

  await step(
    'Postfix, which knows DANE, brings a letter: its TLS is verified by the TLSA record',
    async () => {
      await sendByPostfix(internet);
      await postfix.logged(/Verified TLS connection established to mx\.example\.com/);
      await postfix.logged(/to=<alice@example\.com>.*status=sent/);
    },
  );

  await step('P12: posthorn doctor finds nothing wrong, and DANE right', async () => {
    const { code, output } = await command('doctor', '--strict');
    equal(code, 0, output);
    doesNotMatch(output, /^ +(warning|error)\b/m);
    match(output, /DANE.*3 1 1 [\da-f]{64} is the key of the certificate/);
  });

  await step('all of that within a minute', () => {
    const tookMs = performance.now() - begun;
    ok(tookMs <= limitMs, `it took ${Math.round(tookMs / 1000)} s`);
  });

  await step(
    'with a TLSA record of another key Postfix keeps its letter, and the doctor says why',
    async () => {
      const right = await zoneText();
      await dns.enter(domain, right.replace(/(TLSA {2}3 1 1 )[\da-f]{64}/, `$1${'5a'.repeat(32)}`));
      await sendByPostfix(internet);
      await postfix.logged(/to=<alice@example\.com>.*status=deferred/);
      const { code, output } = await command('doctor');
      equal(code, 1, output);
      match(output, /\[dane-mismatch\]/);
      await dns.enter(domain, right);
    },
  );

  await step('a new key waits for its TLSA record, which the doctor misses until it is there', async () => {
    equal((await command('tls', 'rollover')).code, 0);
    match((await command('doctor')).output, /\[dane-next-missing\]/);
    const both = await zoneText();
    equal(both.match(/TLSA {2}3 1 1 [\da-f]{64}$/gm)?.length, 2);
    await dns.enter(domain, both);
    const { code, output } = await command('doctor', '--strict');
    equal(code, 0, output);
    doesNotMatch(output, /\[dane-/);
  });

  await step(
    'P12: it finds and names every fault of DNS that is planted around the server',
    async () => {
      const words = await plantFaults(network.inside, configFile);
      say(words);
      match(words, /^(\d+) of \1 DNS faults found, 0 false alarms in \d+ right zones$/);
    },
    120_000,
  );
});

interface Networks {
  /** The machine that is to become a server. */
  machine: Network;
  /** Everything else. */
  internet: Network;
}

async function startNetworks(world: World): Promise<Networks | undefined> {
  const layers = world.path('layers');
  await mkdir(layers);
  const machine = await startNetwork(world, [], undefined, ownEtc(layers));
  const internet = await startNetwork(world, [], undefined);
  if (machine === undefined || internet === undefined) return undefined;
  await connectNetworks(
    { network: machine, addresses: Object.values(ours) },
    { network: internet, addresses: [...nameServerAddresses, ...Object.values(theirs)] },
  );
  return { machine, internet };
}

const startReceiver = (world: World, { inside }: Network): Promise<Postfix> =>
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
async function sendByPostfix(network: Network): Promise<void> {
  const { code, output } = await swaks(network, ['--to', alice, '--from', carol, '--server', theirs.four]);
  equal(code, 0, output);
}

async function startTime(world: World, { inside }: Network): Promise<void> {
  const script = join(import.meta.dirname, '../peers/network-time.ts');
  const [first = '', ...words] = [...inside, process.execPath, script, theirs.four];
  const server = start(first, words, world.path('time.log'));
  world.atEnd(() => server.stop());
  await server.line(/^serving$/);
}

/** pebble in the place of Let's Encrypt, and what it issues is believed in this world only. */
async function useAuthority(world: World, { machine, internet }: Networks): Promise<void> {
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

function inNetwork({ inside }: Network, ...words: string[]): Promise<Finished> {
  const [first = '', ...rest] = [...inside, ...words];
  return run(first, rest);
}

const commandIn =
  (network: Network) =>
  (...words: string[]): Promise<Finished> =>
    inNetwork(network, program, ...words);

const swaks = (network: Network, options: readonly string[]): Promise<Finished> =>
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

/** Everything that quickstart makes, but the database. */
async function filesOf({ root }: Network): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const folder of ['etc/posthorn', 'var/lib/posthorn']) {
    const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && !path.includes('/store/')) files[path] = await readFile(path, 'latin1');
    }
  }
  return files;
}

/** What is for the zone into the zone, what is for the provider into the root, which has everything else. */
async function enterRecords(dns: InternetDns, zoneFile: string, { records }: Printed): Promise<void> {
  await dns.enter(domain, zoneFile);
  const reverse = records.filter(({ where }) => where === 'provider');
  equal(reverse.length, 2);
  await dns.enter('.', root + reverse.map(({ name, data }) => `${name}. PTR ${data}\n`).join(''));
}

const announcementOf = ({ records }: Printed) => records.find(({ name }) => name === `_mta-sts.${domain}`);

const textsOf = ({ records }: Printed) =>
  Object.fromEntries(
    records.filter(({ type }) => type === 'TXT').map(({ name, data }) => [name, { TXT: [data] }]),
  );

/** As the unit does it: its user, and of all rights of root the one for low ports. setpriv(1). */
async function startServer(world: World, { inside }: Network): Promise<void> {
  const asUser = ['setpriv', '--reuid', 'posthorn', '--regid', 'posthorn', '--clear-groups'];
  const rights = ['--inh-caps', '-all,+net_bind_service', '--ambient-caps', '-all,+net_bind_service'];
  const bounds = ['--bounding-set', '-all,+net_bind_service', '--no-new-privs'];
  const [first = '', ...words] = [
    ...inside,
    ...asUser,
    ...rights,
    ...bounds,
    program,
    'serve',
    '--config',
    configFile,
  ];
  const server = start(first, words, world.watchLog(world.path('posthorn.log')));
  world.atEnd(() => server.stop());
  await server.line(/^posthorn ready$/);
}
