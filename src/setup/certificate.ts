/** A certificate from the first hour: one of our own making, until there is another. */

import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { selfSignedPair } from '../net/self-signed.ts';
import type { StepOutcome } from './step.ts';

export async function ensureCertificate(config: Config, now: number): Promise<StepOutcome> {
  const { tls, certificates, acme, hostname, dataDir } = config;
  if (tls === undefined && certificates.length === 0 && acme === undefined)
    return {
      value: undefined,
      state: 'warning',
      what: 'the configuration has no [tls]: mail comes in without encryption',
      remedy: 'Add an empty [tls] table, or one that names a certificate and its key.',
    };
  if (tls?.cert !== undefined) return { value: undefined, state: 'kept', what: tls.cert };
  const file = join(dataDir, 'tls', 'self-signed.pem');
  await selfSignedPair(file, hostname, now);
  return {
    value: undefined,
    state: 'warning',
    what: `signed by itself (${file}): other servers encrypt with it, mail programs warn`,
    remedy: acme?.enabled
      ? 'One from the authority takes its place when the server runs: posthorn tls status.'
      : 'Have one come by itself ([acme], docs/TLS.md), or get one from an authority, and name it in [tls].',
  };
}
