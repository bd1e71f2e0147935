/**
 * From a bare machine to a mail server, step by step; reads top to bottom. What it can find out it does not ask. Run again,
 * it keeps what is there, and makes what is missing: never another key, password or line of configuration in the place of one.
 */

import { join } from 'node:path';
import { findAsAdministrator } from '../admin/open-admin.ts';
import type { Config } from '../config/config.ts';
import { standardPorts } from '../config/listeners.ts';
import { addressClass } from '../net/addresses.ts';
import { readFacts } from '../records/facts.ts';
import type { UnusableFile } from '../records/unusable-file.ts';
import { recordsFor, type WantedRecord } from '../records/wanted.ts';
import { findAddresses, type OwnAddresses } from './addresses.ts';
import { ensureCertificate } from './certificate.ts';
import { checkClock } from './clock-check.ts';
import { ensureConfig } from './config-file.ts';
import type { NewListener } from './config-text.ts';
import { ensureDirectories } from './directories.ts';
import { ensureDkimKeys } from './dkim-keys.ts';
import { findConfiguration } from './find-configuration.ts';
import { ensureAccount, type FirstAccount } from './first-account.ts';
import { chooseName, likelyName } from './host-name.ts';
import { isThere, type Machine } from './machine.ts';
import { checkOutbound } from './outbound.ts';
import { giveTo } from './ownership.ts';
import type { Places } from './places.ts';
import { checkPorts, type WantedPort, webPorts } from './ports.ts';
import { checkResolver } from './resolver.ts';
import { installService } from './service.ts';
import { type Progress, type StepReport, Steps } from './step.ts';
import { demandRoot, ensureUser } from './system-user.ts';
import { serviceUnit, socketUnit } from './units.ts';

export interface Wanted {
  /** A-labels. */
  domain: string;
  /** An account that there is to be, by its key; default: the domain's first one, or postmaster@. */
  account?: string;
  hostname?: string;
  /** Public addresses, canonical. */
  addresses: readonly string[];
  places: Places;
  /** Certificates are asked of an authority. */
  usesAcme: boolean;
  /** The service is to be installed, where that is possible. */
  installs: boolean;
}

export interface Result {
  domain: string;
  hostname: string;
  addresses: readonly string[];
  account: FirstAccount;
  records: readonly WantedRecord[];
  /** Because of which records are missing. */
  unusable: readonly UnusableFile[];
  /** How to start the server, where it does not run yet. */
  start?: string;
  steps: readonly StepReport[];
}

/** In the order in which they are taken. */
export const stepNames = [
  'configuration',
  'resolver',
  'addresses',
  'name',
  'clock',
  'ports',
  'port 25 out',
  'user',
  'directories',
  'DKIM keys',
  'config file',
  'certificate',
  'account',
  'service',
] as const;

/** Rejects with a SetupError where it cannot go on, and with the system's error where a file cannot be written. */
export async function quickstart(wanted: Wanted, machine: Machine, progress: Progress): Promise<Result> {
  const { domain, places } = wanted;
  await demandRoot(machine, places);
  const steps = new Steps(progress);
  const take = steps.take.bind(steps);

  const existing = await take('configuration', () => findConfiguration(places, domain));
  const resolver = await take('resolver', () => checkResolver(machine));
  const naming = {
    domain,
    given: wanted.hostname,
    configured: existing?.hostname,
    machine: machine.hostname,
  };
  const addresses = await take('addresses', () =>
    findAddresses({
      machine: machine.addresses(),
      inside: machine.insideAddresses(),
      given: wanted.addresses,
      configured: existing && configuredAddresses(existing),
      hostname: likelyName(naming),
      resolver,
    }),
  );
  const hostname = await take('name', () => chooseName({ ...naming, addresses: addresses.public, resolver }));
  await take('clock', () => checkClock(machine));
  const ports = existing === undefined ? newPorts : configuredPorts(existing);
  const isRunning = existing !== undefined && (await runs(existing));
  const isHeld = await isThere(join(places.systemd, 'posthorn.socket'));
  const takesMail = existing === undefined || existing.listeners.some(({ protocol }) => isMailDoor(protocol));
  const taken = await take('ports', () =>
    checkPorts({ ...machine, wanted: ports, isRunning, isHeld, takesMail }),
  );
  await take('port 25 out', () => checkOutbound({ ...machine, resolver }));

  const owner = await take('user', () => ensureUser(machine, places));
  await take('directories', () => ensureDirectories(places));
  const keys = await take('DKIM keys', () =>
    ensureDkimKeys({
      domain,
      configured: keysOf(existing, domain),
      directory: places.keys,
      now: machine.clock.now(),
    }),
  );
  // Mail's own ports stand in the file whoever has them now: when that program is gone, the server has to open them.
  // Before a running server hears of them.
  if (owner !== undefined) await giveTo(owner, places.keys);
  const listeners = newListeners.map((listener) => ({
    ...listener,
    isOff: taken.includes(listener.port) && webPorts.includes(listener.port),
  }));
  const { translated } = addresses;
  const { usesAcme } = wanted;
  const content = { domain, hostname, keys, listeners, translated, usesAcme };
  const config = await take('config file', () => ensureConfig({ places, existing, isRunning, ...content }));
  await take('certificate', () => ensureCertificate(config, machine.clock.now()));
  const account = await take('account', () =>
    ensureAccount({ config, domain, address: wanted.account, clock: machine.clock }),
  );
  if (owner !== undefined) await giveTo(owner, config.dataDir);
  // Of a file that was just written, the web's ports are left out where they are taken.
  const canStart = taken.every((port) => existing === undefined && webPorts.includes(port));
  const units = [
    socketUnit(configuredPorts(config)),
    serviceUnit({ ...machine, configFile: places.config, dataDir: config.dataDir }),
  ];
  const start = await take('service', () =>
    installService({ ...machine, places, units, isWanted: wanted.installs, canStart, owner }),
  );

  const facts = await readFacts(config, { addresses: addresses.public, now: machine.clock.now() });
  return {
    domain,
    hostname,
    addresses: addresses.public,
    account,
    records: recordsFor(domain, facts),
    unusable: facts.unusable,
    ...(start !== undefined && !isRunning && { start }),
    steps: steps.reports,
  };
}

const newListeners: readonly Omit<NewListener, 'isOff'>[] = [
  { protocol: 'smtp', port: standardPorts.smtp, comment: 'mail from outside' },
  { protocol: 'submissions', port: standardPorts.submissions, comment: 'your users, TLS from the start' },
  { protocol: 'submission', port: standardPorts.submission, comment: 'your users, STARTTLS' },
  { protocol: 'pop3s', port: standardPorts.pop3s, comment: 'fetching mail' },
  { protocol: 'https', port: standardPorts.https, comment: 'what mail programs and other servers ask for' },
  { protocol: 'http', port: standardPorts.http, comment: 'proof to certificate authorities' },
];

/** By one of these mail for our domains comes in. */
const isMailDoor = (protocol: string): boolean => protocol === 'smtp' || protocol === 'lmtp';

const newPorts: readonly WantedPort[] = newListeners.map(({ protocol, port }) => ({
  protocol,
  port,
  address: '::',
}));

const configuredPorts = ({ listeners }: Config): WantedPort[] =>
  listeners.filter(({ socket, port }) => socket === undefined && port > 0);

function configuredAddresses({ sources }: Config): OwnAddresses {
  const translated = sources.flatMap(({ address, publicAddress }) =>
    publicAddress === undefined ? [] : [{ address, publicAddress }],
  );
  const all = sources.map(({ address, publicAddress = address }) => publicAddress);
  return { public: all.filter((address) => addressClass(address) === 'public'), translated };
}

/** Undefined where the configuration does not know the domain. */
function keysOf(config: Config | undefined, domain: string) {
  const known = config?.domains.find(({ name }) => name === domain);
  return known && (known.dkim ?? []);
}

async function runs(config: Config): Promise<boolean> {
  const admin = await findAsAdministrator(config);
  await admin?.close();
  return admin !== undefined;
}
