/** Where the certificates of the listeners come from: files, which are watched, and until there is one, one of our own making. */

import { join } from 'node:path';
import type { Config, PairConfig } from '../config/config.ts';
import { CertificateFiles } from '../net/certificate-files.ts';
import { coversName, findFaults } from '../net/key-pair.ts';
import { selfSignedPair } from '../net/self-signed.ts';
import { Certificates } from '../net/tls-context.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';

export interface CertificatesParts {
  config: Config;
  log: Log;
  clock: Clock;
}

/**
 * Undefined where the configuration wants no TLS. Rejects with an Error that names the file that cannot be used, or be
 * written; what must be stopped is left with `stack`.
 */
export async function openCertificates(
  { config, log, clock }: CertificatesParts,
  stack: AsyncDisposableStack,
): Promise<Certificates | undefined> {
  if (!wantsTls(config)) return undefined;
  const certificates = new Certificates(config.hostname);
  const files = new CertificateFiles({ certificates, log, clock });
  await files.use(pairsOf(config));
  await offerSelfSigned(certificates, config, clock);
  tellFaults(certificates, log, clock);
  stack.defer(certificates.onChange(() => tellFaults(certificates, log, clock)));
  files.start();
  stack.defer(() => files.stop());
  return certificates;
}

export const wantsTls = ({ tls, certificates }: Config): boolean =>
  tls !== undefined || certificates.length > 0;

/** The one of [tls] first: it is shown to whoever asks for no name. */
function pairsOf({ tls, certificates }: Config): PairConfig[] {
  return [...(tls?.cert === undefined ? [] : [tls]), ...certificates];
}

/** Until there is a certificate for our name; and for programs that ask for that name it stays in reserve. */
async function offerSelfSigned(
  certificates: Certificates,
  { dataDir, hostname, tls }: Config,
  clock: Clock,
): Promise<void> {
  const isNamed = certificates.known().some(({ names }) => coversName(names, hostname));
  if (tls?.cert !== undefined || isNamed) return;
  const file = join(dataDir, 'tls', 'self-signed.pem');
  const pair = await selfSignedPair(file, hostname, clock.now());
  certificates.replace('self-signed', [{ pair, file }]);
}

function tellFaults(certificates: Certificates, log: Log, clock: Clock): void {
  for (const { file, names, ...facts } of certificates.known())
    for (const fault of findFaults({ names, ...facts }, clock.now()))
      log.warn({ file, names }, `certificate: ${fault}`);
}
