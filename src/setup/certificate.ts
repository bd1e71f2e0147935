/** A certificate from the first hour: one of our own making, until there is another. */

import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { readIssued } from '../net/issued-files.ts';
import { selfSignedPair } from '../net/self-signed.ts';
import { isThere } from './machine.ts';
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
  const wasThere = await isThere(file);
  await selfSignedPair(file, hostname, now);
  if (acme?.enabled === true) {
    const { host } = new URL(acme.directory);
    if (await readIssued(dataDir, hostname)) return { value: undefined, state: 'kept', what: `from ${host}` };
    return {
      value: undefined,
      state: wasThere ? 'kept' : 'done',
      what: `asked of ${host} as soon as DNS leads ${hostname} here, and renewed; until then one that is signed by itself`,
      details: ['by that you agree to the terms of the authority; not if you run it with --no-acme'],
    };
  }
  return {
    value: undefined,
    state: 'warning',
    what: `signed by itself (${file}): other servers encrypt with it, mail programs warn`,
    remedy: acme?.enabled
      ? 'One from the authority takes its place when the server runs: posthorn tls status.'
      : 'Have one come by itself ([acme], docs/TLS.md), or get one from an authority, and name it in [tls].',
  };
}
