/** What must be known for the wanted records, from the configuration, the files that it names, and this machine's addresses. */

import { createHash, createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dkimRecord, parseDkimKey } from '../authentication/dkim-key.ts';
import { clientServices } from '../config/client-services.ts';
import type { Config, DomainConfig } from '../config/config.ts';
import { stsPolicyOf } from '../config/sts-policies.ts';
import { policyId } from '../mta-sts/serve.ts';
import { addressClass, machineAddresses } from '../net/addresses.ts';
import { readIssued, readNextKey } from '../net/issued-files.ts';
import { coversName, type KeyPair, parseKeyPair, readKeyPair } from '../net/key-pair.ts';
import type { DomainFacts, RecordFacts, SendingAddress, WebService } from './wanted-record.ts';

/** What cannot be read from the configuration. */
export interface KnownFacts {
  /** Public addresses of this machine; default: those of its interfaces. */
  addresses?: readonly string[];
  /** Whether DNSSEC proves what DNS says of the hostname. */
  isSigned?: boolean;
}

/** Rejects with the system's error where a key or certificate cannot be read. */
export async function readFacts(config: Config, known: KnownFacts = {}): Promise<RecordFacts> {
  const machine = known.addresses ?? machineAddresses('public');
  const sending = sendingAddresses(config, machine);
  return {
    hostname: config.hostname,
    domains: await Promise.all(config.domains.map((domain) => domainFacts(domain, config))),
    addresses: receivingAddresses(config, machine),
    sending,
    reportMailboxes: config.reports.read ? config.reports.mailboxes : [],
    tlsKeys: await tlsKeys(config),
    ...acmeFacts(config),
    ...(known.isSigned !== undefined && { isSigned: known.isSigned }),
    clients: Object.fromEntries(clientServices(config).map(({ protocol, port }) => [protocol, port])),
    web: webServices(config),
  };
}

/** Behind NAT only the configuration knows how we are seen. */
function sendingAddresses({ sources, hostname }: Config, machine: readonly string[]): SendingAddress[] {
  if (sources.length === 0) return machine.map((address) => ({ address, ehloName: hostname, senders: [] }));
  return sources.map(({ address, publicAddress = address, ehloName = hostname, senders }) => ({
    address: publicAddress,
    ehloName,
    senders,
  }));
}

/** Where port 25 listens. An address that is translated is that of its source. */
function receivingAddresses({ listeners, sources }: Config, machine: readonly string[]): string[] {
  const outside = new Map(sources.map(({ address, publicAddress = address }) => [address, publicAddress]));
  const translated = sources.flatMap(({ address, publicAddress = address }) =>
    addressClass(address) === 'public' ? [] : [publicAddress],
  );
  const all = [...machine, ...translated];
  const heard = listeners
    .filter(({ protocol }) => protocol === 'smtp')
    .flatMap(({ address }) =>
      isAny(address) ? withFamily(all, address) : [outside.get(address) ?? address],
    );
  const isSeen = (address: string) => addressClass(address) === 'public';
  return [...new Set((heard.length > 0 ? heard : all).filter(isSeen))];
}

const isAny = (address: string): boolean => addressClass(address) === 'unspecified';

/** `::` takes IPv4 too, `0.0.0.0` nothing else. */
const withFamily = (addresses: readonly string[], any: string): string[] =>
  addresses.filter((address) => any.includes(':') || !address.includes(':'));

async function domainFacts(domain: DomainConfig, config: Config): Promise<DomainFacts> {
  const { name, dkim = [] } = domain;
  const keys = await Promise.all(
    dkim.map(async ({ selector, key }) => {
      const { key: privateKey, type } = parseDkimKey(await readFile(key, 'utf8'));
      return {
        selector,
        type,
        record: dkimRecord(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()).value,
      };
    }),
  );
  return {
    name,
    dkim: keys,
    relays: relaysOf(name, config),
    stsPolicyId: policyId(stsPolicyOf(config, domain)),
  };
}

/** Where everything from this domain leaves by other servers: their names. */
function relaysOf(domain: string, { transports }: Config): string[] {
  const own = transports.filter(
    ({ domains, senders }) => domains.includes('*') && (senders === undefined || senders.includes(domain)),
  );
  const named = own.filter(({ senders }) => senders !== undefined);
  return (named.length > 0 ? named : own).flatMap(({ way }) =>
    'at' in way && 'host' in way.at ? [way.at.host] : [],
  );
}

/** Those that servers are shown on port 25: of the first configured certificate for our name, else of our own making. */
async function tlsKeys(config: Config): Promise<RecordFacts['tlsKeys']> {
  const { tls, certificates, acme, hostname, dataDir } = config;
  if (tls === undefined && certificates.length === 0 && acme === undefined) return [];
  const configured = await Promise.all(
    [...(tls?.cert === undefined ? [] : [tls]), ...certificates].map(readKeyPair),
  );
  const ours = configured.find(({ facts }) => coversName(facts.names, hostname)) ?? configured[0];
  const issued = acme && (await readIssued(dataDir, hostname));
  const current = (ours ?? issued ?? (await findSelfSigned(dataDir)))?.facts.spkiSha256;
  const next = ours || acme === undefined ? undefined : await nextKeyOf(dataDir, hostname);
  return [
    ...(current === undefined ? [] : [{ sha256: current, role: 'current' as const }]),
    ...(next === undefined || next === current ? [] : [{ sha256: next, role: 'next' as const }]),
  ];
}

async function nextKeyOf(dataDir: string, hostname: string): Promise<string | undefined> {
  const key = await readNextKey(dataDir, hostname);
  const info = key && createPublicKey(key).export({ type: 'spki', format: 'der' });
  return info && createHash('sha256').update(info).digest('hex');
}

/** What authorities are called in CAA records, by the hosts of their directories. */
const caaIdentities: Readonly<Record<string, string>> = {
  'acme-v02.api.letsencrypt.org': 'letsencrypt.org',
  'acme-staging-v02.api.letsencrypt.org': 'letsencrypt.org',
  'acme.zerossl.com': 'sectigo.com',
  'dv.acme-v02.api.pki.goog': 'pki.goog',
  'api.buypass.com': 'buypass.com',
};

function acmeFacts({ acme }: Config): Pick<RecordFacts, 'acme'> {
  const identity = acme?.enabled ? caaIdentities[new URL(acme.directory).hostname] : undefined;
  return acme && identity ? { acme: { issuers: [identity], methods: [acme.challenge] } } : {};
}

async function findSelfSigned(dataDir: string): Promise<KeyPair | undefined> {
  const file = join(dataDir, 'tls', 'self-signed.pem');
  const pem = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return pem === undefined ? undefined : parseKeyPair(pem, pem);
}

const allWebServices: readonly WebService[] = ['mta-sts', 'autoconfig', 'autodiscover'];

/** By itself, or for a web server in front. Port 80 without one only leads to what is not there. */
function webServices({ listeners }: Config): readonly WebService[] {
  const isServed = listeners.some(({ protocol, proxied }) => protocol === 'https' || proxied);
  return isServed ? allWebServices : [];
}
