/** A certificate from the first hour: one of our own making, until there is another. What cannot be used is told, and stays. */

import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { readIssued } from '../net/issued-files.ts';
import { selfSignedPair } from '../net/self-signed.ts';
import { readFacts } from '../records/facts.ts';
import { remedyOf, type UnusableFile } from '../records/unusable-file.ts';
import { isThere } from './machine.ts';
import type { StepOutcome } from './step.ts';

export async function ensureCertificate(config: Config, now: number): Promise<StepOutcome> {
  const { unusable } = await readFacts(config, { addresses: [], now });
  const outcome = await ensureSome(config, now);
  return unusable.length === 0 ? outcome : troubled(unusable, outcome);
}

/** A server does not start with files of the configuration that cannot be used; of all others it makes new ones. */
const troubled = (unusable: readonly UnusableFile[], { what }: StepOutcome): StepOutcome => ({
  value: undefined,
  state: unusable.some(({ role }) => role === 'configured') ? 'failed' : 'warning',
  what: unusable.map(({ file, problem }) => `${file} ${problem}`).join('; '),
  details: [what],
  remedy: unusable.map((one) => (one.role === 'self-signed' ? madeAnew : remedyOf(one))).join('\n'),
});

const madeAnew =
  'Another was made, with another key: where there is a TLSA record, enter the one below in its place.';

async function ensureSome(config: Config, now: number): Promise<StepOutcome> {
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
    const issued = await readIssued(dataDir, hostname);
    if ('value' in issued && issued.value !== undefined)
      return { value: undefined, state: 'kept', what: `from ${host}` };
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
    remedy:
      'Have one come by itself ([acme], docs/TLS.md), or get one from an authority, and name it in [tls].',
  };
}
