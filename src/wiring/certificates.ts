/** Where the certificates of the listeners come from: files, which are watched, an authority, and until there is one, ourselves. */

import { join } from 'node:path';
import type { Config, PairConfig } from '../config/config.ts';
import { CertificateFiles } from '../net/certificate-files.ts';
import { coversName, findFaults } from '../net/key-pair.ts';
import { renewDays, selfSignedPair } from '../net/self-signed.ts';
import { Certificates } from '../net/tls-context.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';

const dayMs = 86_400_000;
/** Whoever renews them does so before; from then on the log says each day that nobody has. */
const warnDays = 14;

export interface CertificatesParts {
  config: Config;
  log: Log;
  clock: Clock;
  /** As `Certificates` has them, both. */
  ticketKeys?: Buffer;
  onFailure?: (error: Error) => void;
}

/**
 * Undefined where the configuration wants no TLS. Rejects with an Error that names the file that cannot be used, or be
 * written; what must be stopped is left with `stack`. Those of an authority are shown by whoever keeps them.
 */
export async function openCertificates(
  { config, log, clock, ticketKeys, onFailure }: CertificatesParts,
  stack: AsyncDisposableStack,
): Promise<Certificates | undefined> {
  if (!wantsTls(config)) return undefined;
  const certificates = new Certificates(config.hostname, ticketKeys, onFailure);
  const files = new CertificateFiles({ certificates, log, clock });
  await files.use(pairsOf(config));
  await offerSelfSigned(certificates, config, clock);
  const changed = () => {
    dropSelfSigned(certificates, config);
    tellFaults(certificates, log, clock);
  };
  stack.defer(certificates.onChange(changed));
  if (config.acme === undefined) tellFaults(certificates, log, clock);
  stack.defer(everyDay(clock, log, () => lookAgain(certificates, config, { log, clock })));
  files.start();
  stack.defer(() => files.stop());
  return certificates;
}

const wantsTls = ({ tls, certificates, acme }: Config): boolean =>
  tls !== undefined || certificates.length > 0 || acme !== undefined;

export const selfSignedFile = (dataDir: string): string => join(dataDir, 'tls', 'self-signed.pem');

/** The one of [tls] first: it is shown to whoever asks for no name. */
function pairsOf({ tls, certificates }: Config): PairConfig[] {
  return [...(tls?.cert === undefined ? [] : [tls]), ...certificates];
}

/** Until there is a certificate for our name. */
async function offerSelfSigned(
  certificates: Certificates,
  { dataDir, hostname, tls }: Config,
  clock: Clock,
): Promise<void> {
  const isNamed = certificates.known().some(({ names }) => coversName(names, hostname));
  if (tls?.cert !== undefined || isNamed) return;
  const file = selfSignedFile(dataDir);
  const pair = await selfSignedPair(file, hostname, clock.now());
  certificates.replace('self-signed', [{ pair, file }]);
}

/** Time passes for those that nobody replaces: they are told of before they end, and ours is made anew. */
async function lookAgain(
  certificates: Certificates,
  config: Config,
  { log, clock }: Omit<CertificatesParts, 'config'>,
): Promise<void> {
  const known = certificates.known();
  const kept = known.find(({ origin }) => origin === 'self-signed');
  if (kept !== undefined && kept.notAfter - clock.now() < renewDays * dayMs) {
    const file = selfSignedFile(config.dataDir);
    const pair = await selfSignedPair(file, config.hostname, clock.now());
    certificates.replace('self-signed', [{ pair, file }]);
  } else tellFaults(certificates, log, clock);
  for (const { file, names, notAfter, origin } of known) {
    const days = Math.floor((notAfter - clock.now()) / dayMs);
    if (origin === 'configuration' && days >= 0 && days < warnDays)
      log.warn({ file, names }, `certificate: it ends in ${days} days, and no other has come`);
  }
}

/** Returns how to stop it. */
function everyDay(clock: Clock, log: Log, look: () => Promise<void>): () => void {
  const next = (): (() => void) =>
    clock.after(dayMs, () => {
      look().catch((error: Error) => log.error({ error: error.message }, 'certificates'));
      cancel = next();
    });
  let cancel = next();
  return () => cancel();
}

function dropSelfSigned(certificates: Certificates, { hostname }: Config): void {
  const [own, ...others] = [...certificates.known()].reverse();
  if (own?.origin !== 'self-signed' || !others.some(({ names }) => coversName(names, hostname))) return;
  certificates.replace('self-signed', []);
}

function tellFaults(certificates: Certificates, log: Log, clock: Clock): void {
  for (const certificate of certificates.known()) {
    const { file, names } = certificate;
    for (const fault of findFaults(certificate, clock.now()))
      log.warn({ file, names }, `certificate: ${fault}`);
  }
}
