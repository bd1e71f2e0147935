/**
 * A whole server in which all is right, as the doctor sees it: running, with certificates, a web listener for its MTA-STS
 * policy, and all the DNS around it; and the doctor that looks at it. What is to be wrong is for the test to plant.
 */

import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify, type TomlTable } from 'smol-toml';
import { generateDkimKey } from '../authentication/dkim-key.ts';
import { doctorParts } from '../cli/doctor-parts.ts';
import { loadConfig } from '../config/load.ts';
import { diagnose } from '../doctor/diagnose.ts';
import type { DoctorParts } from '../doctor/examining.ts';
import type { PlacedFinding } from '../doctor/watch.ts';
import { problemsIn } from '../doctor/watch.ts';
import { readFacts } from '../records/facts.ts';
import type { RecordFacts } from '../records/wanted-record.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import { type TestAuthority, testAuthority } from './certificates.ts';
import type { Planting } from './dns-faults/fault.ts';
import { type DnsStage, loopbackPlaces, startDnsStage } from './dns-stage.ts';
import { freePort } from './free-ports.ts';
import { blockList, plantingOf, reachedDomain } from './plant-faults.ts';
import { startTimeServer, type TimeServer } from './time-server.ts';
import { loopbackAddresses } from './world-places.ts';
import { WorldServer } from './world-server.ts';

export const domain = 'example.com';
export const hostname = 'mx.example.com';
const selector = 'posthorn';
const four = '127.0.0.51';
/** What is known of the authority whose certificates the server has. */
const acme = { issuers: ['ca.example'], accountUri: 'https://ca.example/account/1', methods: ['http-01'] };

export interface DoctorStage extends AsyncDisposable {
  readonly server: WorldServer;
  readonly dns: DnsStage;
  readonly timeServer: TimeServer;
  readonly authority: TestAuthority;
  readonly directory: string;
  /** Issues a certificate, or writes another one, where the server has its own. */
  writeCertificate(certificate: { cert: string; key: string }): Promise<void>;
  /** What is known of the server. */
  readonly facts: RecordFacts;
  /** A right model, to be spoiled. */
  model(facts?: RecordFacts): Planting;
  /** Everything that the doctor finds wrong, notes too. */
  look(changes?: Partial<DoctorParts>): Promise<PlacedFinding[]>;
  /** Options of the command line that lead it to this stage. */
  options: readonly string[];
}

/** `settings`: of `posthorn.toml`, besides. `families`: of the addresses that the server has. */
export async function startDoctorStage(
  settings: TomlTable = {},
  families: readonly (4 | 6)[] = [4, 6],
): Promise<DoctorStage> {
  await using parts = new AsyncDisposableStack();
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'posthorn-doctor-')));
  parts.defer(() => rm(directory, { recursive: true, force: true }));
  const six = loopbackAddresses().find((address) => address.includes(':'));
  const addresses = [
    ...(families.includes(4) ? [four] : []),
    ...(families.includes(6) && six !== undefined ? [six] : []),
  ];
  const authority = testAuthority();
  const dnsPort = await freePort(Object.values(loopbackPlaces));
  const file = await writeFiles({ directory, addresses, authority, dnsPort, settings });
  const config = await loadConfig(file);
  const read = await readFacts(config, { now: systemClock.now() });
  const facts: RecordFacts = { ...read, addresses, acme };
  const model = (changed = facts) => plantingOf(changed, loopbackPlaces);
  const dns = await startDnsStage(model(), loopbackPlaces, dnsPort);
  parts.use(dns);
  const timeServer = await startTimeServer();
  parts.use(timeServer);
  const server = new WorldServer({ config, logFile: join(directory, 'log'), authority: authority.cert });
  parts.defer(() => server.stop());
  await server.start();
  await server.addAccount(`ann@${domain}`, 'a secret of hers');
  const running = parts.move();
  return {
    server,
    dns,
    timeServer,
    authority,
    directory,
    facts,
    writeCertificate: (certificate) => writePair(directory, certificate),
    model,
    options: [
      '--config',
      file,
      ...['--resolver', `${loopbackPlaces.resolver}:${dnsPort}`],
      ...['--name-port', String(dnsPort)],
      ...['--time-server', `${timeServer.address}:${timeServer.port}`],
      ...['--reach', reachedDomain],
    ],
    look: (changes) => look({ config, facts, dns, timeServer, clock: systemClock }, changes),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function look(
  {
    config,
    facts,
    dns,
    timeServer,
    clock,
  }: {
    config: DoctorParts['config'];
    facts: RecordFacts;
    dns: DnsStage;
    timeServer: TimeServer;
    clock: Clock;
  },
  changes: Partial<DoctorParts> = {},
): Promise<PlacedFinding[]> {
  const options = {
    resolver: [`${loopbackPlaces.resolver}:${dns.port}`],
    namePort: dns.port,
    timeServer: [`${timeServer.address}:${timeServer.port}`],
    reach: [reachedDomain],
  };
  const parts = await doctorParts(config, { clock }, options);
  return problemsIn(await diagnose({ ...parts, facts, ...changes }));
}

interface Files {
  directory: string;
  addresses: readonly string[];
  authority: TestAuthority;
  dnsPort: number;
  settings: TomlTable;
}

async function writeFiles({ directory, addresses, authority, dnsPort, settings }: Files): Promise<string> {
  const [smtp, submissions, pop3s, https] = [
    await freePort(addresses),
    await freePort(addresses),
    await freePort(addresses),
    await freePort(addresses),
  ];
  await mkdir(join(directory, 'data'));
  const names = [settings.hostname ?? hostname, `mta-sts.${domain}`].map(String);
  await writePair(directory, authority.issue([...names, ...addresses]));
  await writeFile(join(directory, 'ca.pem'), authority.cert);
  await writeFile(join(directory, 'dkim.pem'), await dkimKey(), { mode: 0o600 });
  const file = join(directory, 'posthorn.toml');
  const ports = { smtp, submissions, pop3s, https };
  const toml: TomlTable = {
    hostname,
    dataDir: 'data',
    resolver: [`${loopbackPlaces.resolver}:${dnsPort}`],
    tls: { cert: 'server.pem', key: 'server.key' },
    guard: { enabled: true, blocklists: [blockList] },
    delivery: { port: smtp, httpsPort: https, allowPrivateAddresses: true, caFile: 'ca.pem' },
    source: addresses.map((address) => ({ address })),
    domain: [{ name: domain, dkim: { selector, key: 'dkim.pem' }, mtaSts: { mode: 'enforce' } }],
    listener: Object.entries(ports).flatMap(([protocol, port]) =>
      addresses.map((address) => ({ protocol, address, port })),
    ),
    ...settings,
  };
  await writeFile(file, stringify(toml));
  return file;
}

async function writePair(directory: string, { cert, key }: { cert: string; key: string }): Promise<void> {
  await writeFile(join(directory, 'server.pem'), cert);
  await writeFile(join(directory, 'server.key'), key, { mode: 0o600 });
}

let key: Promise<string> | undefined;

/** One for the process: RSA keys take their time. */
function dkimKey(): Promise<string> {
  key ??= generateDkimKey('rsa');
  return key;
}
