/** The wiring of certificates from an authority. What it is made of is loaded only where there is an [acme] table. */

import { readFile } from 'node:fs/promises';
import type { AcmeStatus } from '../acme/acme-status.ts';
import type { AcmeConfig } from '../config/acme.ts';
import type { Config } from '../config/config.ts';
import { readSecret } from '../config/secret.ts';
import { wantedCertificates } from '../config/wanted-certificates.ts';
import type { Resolver } from '../dns/resolver.ts';
import { directAsker } from '../net/dns-direct.ts';
import { systemServers } from '../net/dns-stub.ts';
import { httpsClient } from '../net/https.ts';
import { coversName, readKeyPair } from '../net/key-pair.ts';
import { runProgram } from '../net/program.ts';
import type { Certificates } from '../net/tls-context.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import { selfSignedFile } from './certificates.ts';

export interface AcmeParts {
  config: Config;
  log: Log;
  clock: Clock;
  resolver: Resolver;
  certificates: Certificates;
}

/** What the rest of the server has of it. */
export interface Acme {
  /** `after`: what was in force before has ended. The listeners must listen. Does nothing where it is not enabled. */
  start(after?: Promise<void>): void;
  stop(): Promise<void>;
  renew(name: string | undefined, force: boolean): Promise<void>;
  rollover(name: string | undefined, isUrgent: boolean): Promise<void>;
  revoke(name: string | undefined): Promise<void>;
  status(): Promise<AcmeStatus>;
  /** RFC 8555 §8.3 */
  respondTo(token: string): string | undefined;
}

/** Undefined where no certificate comes from an authority. Rejects with the system's error where `caFile` cannot be read. */
export async function openAcme(parts: AcmeParts, stack: AsyncDisposableStack): Promise<Acme | undefined> {
  const { config, log, clock, resolver, certificates } = parts;
  const settings = config.acme;
  if (settings === undefined) return undefined;
  const [{ Authority }, { Challenges }, { dnsProofs }, { AcmeKeeper }, names, { Vault }] = await Promise.all([
    import('../acme/authority.ts'),
    import('../acme/challenges.ts'),
    import('../acme/dns-proof.ts'),
    import('../acme/keeper.ts'),
    import('../acme/names.ts'),
    import('../acme/vault.ts'),
  ]);
  const ending = new AbortController();
  const { signal } = ending;
  const challenges = new Challenges();
  const vault = new Vault(config.dataDir);
  const proofs = dnsProofs(await authoritativeParts(parts), clock);
  const authority = new Authority({
    ...{ settings, vault, clock, log, signal },
    https: await httpsOf(settings, parts),
    externalKey: async () => settings.eabKeyFile && (await readSecret(settings.eabKeyFile)),
    responder: await responderOf(settings, {
      challenges,
      certificates,
      shownInDns: proofs.shownInDns,
      clock,
    }),
  });
  const configured = certificates.known().filter(({ origin }) => origin === 'configuration');
  const isCovered = (name: string) => configured.some((one) => coversName(one.names, name));
  const keeper = new AcmeKeeper({
    ...{ settings, vault, authority, certificates, proofs, clock, log, signal },
    hostname: config.hostname,
    wanted: wantedCertificates(config, isCovered),
    namesThatAreOurs: (wanted, before) => names.namesThatAreOurs(resolver, config.hostname, wanted, before),
    firstKey: (id) => firstKey(id, config),
    random: Math.random,
  });
  await keeper.open();
  const stop = async () => {
    ending.abort();
    await keeper.stop();
  };
  stack.defer(stop);
  return {
    start(after) {
      if (settings.enabled) keeper.start(after);
    },
    stop,
    renew: (name, force) => keeper.renew(name, force),
    rollover: (name, isUrgent) => keeper.rollover(name, isUrgent),
    revoke: (name) => keeper.revoke(name),
    status: () => keeper.status(),
    respondTo: (token) => challenges.respondTo(token),
  };
}

/** An authority with a certificate of its own authority is somebody's own, and may have a private address. */
async function httpsOf({ caFile }: AcmeConfig, { config, resolver, clock }: AcmeParts) {
  const authorities = caFile === undefined ? [] : [await readFile(caFile, 'utf8')];
  const allowPrivateAddresses = caFile !== undefined || config.delivery.allowPrivateAddresses;
  return httpsClient({ resolver, clock, authorities, allowPrivateAddresses });
}

async function authoritativeParts({ config, clock, resolver }: AcmeParts) {
  const recursors = config.resolver.length > 0 ? config.resolver : await systemServers();
  return { ask: directAsker({ clock }), resolver, recursors, port: 53 };
}

interface ResponderParts {
  challenges: InstanceType<typeof import('../acme/challenges.ts').Challenges>;
  certificates: Certificates;
  shownInDns(name: string, text: string, signal: AbortSignal): Promise<string | undefined>;
  clock: Clock;
}

async function responderOf(
  { challenge, hook }: AcmeConfig,
  { challenges, certificates, shownInDns, clock }: ResponderParts,
) {
  const { httpResponder, alpnResponder, dnsResponder } = await import('../acme/responders.ts');
  return (signal: AbortSignal) => {
    if (challenge === 'http-01') return httpResponder(challenges);
    if (challenge === 'tls-alpn-01')
      return alpnResponder((name, digest) => certificates.challenges.show(name, digest));
    return dnsResponder({ command: hook, run: runProgram, shownInDns, clock, signal });
  };
}

/** The key that has been shown so far, signed by itself: a TLSA record that was published for it stays right. */
async function firstKey(id: string, { hostname, dataDir, acme }: Config): Promise<string | undefined> {
  if (id !== hostname || acme?.keyType !== 'ecdsa') return undefined;
  const file = selfSignedFile(dataDir);
  const pair = await readKeyPair({ cert: file, key: file }).catch(() => undefined); // there may be none
  return pair?.key;
}
