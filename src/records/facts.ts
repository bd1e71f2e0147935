/** What must be known for the wanted records, from the configuration, the files that it names, and this machine's addresses. */

import { readFile } from 'node:fs/promises';
import { dkimRecord, parseDkimKey } from '../authentication/dkim-key.ts';
import { clientServices } from '../config/client-services.ts';
import type { Config } from '../config/config.ts';
import type { DomainConfig } from '../config/receiving.ts';
import { stsPolicyOf } from '../config/sts-policies.ts';
import { policyId } from '../mta-sts/serve.ts';
import { addressClass, machineAddresses } from '../net/addresses.ts';
import { readAcmeFacts } from './acme-facts.ts';
import {
  awaitedCertificates,
  findLack,
  type OwnCertificates,
  readOwnCertificates,
  readTlsKeys,
  unusableIn,
} from './own-certificates.ts';
import type { DomainFacts, RecordFacts, SendingAddress, WebService } from './wanted-record.ts';

/** What cannot be read from the configuration. */
export interface KnownFacts {
  /** Milliseconds since the epoch: certificates have a beginning and an end. */
  now: number;
  /** Public addresses of this machine; default: those of its interfaces. */
  addresses?: readonly string[];
  /** Whether DNSSEC proves what DNS says of the hostname. */
  isSigned?: boolean;
}

/** Rejects with the system's error where a DKIM key cannot be read; of certificates it is told (`unusable`). */
export async function readFacts(config: Config, known: KnownFacts): Promise<RecordFacts> {
  const { now } = known;
  const machine = known.addresses ?? machineAddresses('public');
  const sending = sendingAddresses(config, machine);
  const certificates = await readOwnCertificates(config);
  const keys = await readTlsKeys(config, certificates);
  const { acme, unusable: account } = await readAcmeFacts(config);
  return {
    hostname: config.hostname,
    domains: await Promise.all(
      config.domains.map((domain) => domainFacts(domain, config, { certificates, now })),
    ),
    addresses: receivingAddresses(config, machine),
    sending,
    reportMailboxes: config.reports.read ? config.reports.mailboxes : [],
    tlsKeys: keys.tlsKeys,
    ...(acme && { acme: { ...acme, certificates: certificatesAsked(config, certificates) } }),
    ...(known.isSigned !== undefined && { isSigned: known.isSigned }),
    clients: Object.fromEntries(clientServices(config).map(({ protocol, port }) => [protocol, port])),
    web: webServices(config),
    unusable: [certificates.flatMap(unusableIn), keys.unusable ?? [], account ?? []].flat(),
  };
}

/** All names of one lie in one zone, as a rule. */
const certificatesAsked = (config: Config, own: OwnCertificates) =>
  awaitedCertificates(config, own).map(({ id, isOptional }) => ({ name: id, isOptional }));

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

interface Shown {
  certificates: OwnCertificates;
  now: number;
}

async function domainFacts(domain: DomainConfig, config: Config, shown: Shown): Promise<DomainFacts> {
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
    sts: stsFacts(domain, config, shown),
  };
}

/** RFC 8461 §3.3, §4.1: the host of the policy, and that of the MX, each need a valid certificate. */
function stsFacts(domain: DomainConfig, config: Config, { certificates, now }: Shown) {
  const policy = stsPolicyOf(config, domain);
  // Where a web server in front does TLS, its certificate is not known here.
  const isOurs = config.listeners.some(({ protocol }) => protocol === 'https');
  const hosts = [config.hostname, ...(isOurs ? [`mta-sts.${domain.name}`] : [])];
  const lacks = hosts.flatMap((host) => findLack(certificates, host, now) ?? []);
  return {
    policyId: policyId(policy),
    mode: policy.mode,
    ...(lacks.length > 0 && { lack: `${lacks.join(', and ')}. ${lackRemedy(config)}` }),
  };
}

const lackRemedy = ({ acme }: Config): string =>
  acme?.enabled
    ? 'It is asked for once DNS leads these names here: `posthorn tls` shows how far it is.'
    : 'Have one come by itself ([acme], docs/TLS.md), or get one from an authority.';

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

const allWebServices: readonly WebService[] = ['mta-sts', 'autoconfig', 'autodiscover'];

/** By itself, or for a web server in front. Port 80 without one only leads to what is not there. */
function webServices({ listeners }: Config): readonly WebService[] {
  const isServed = listeners.some(({ protocol, proxied }) => protocol === 'https' || proxied);
  return isServed ? allWebServices : [];
}
