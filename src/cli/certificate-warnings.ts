/** What is wrong with certificates in files that can be used all the same: it is looked at before clients do. */

import type { Config } from '../config/config.ts';
import { coversName, findFaults, readKeyPair } from '../net/key-pair.ts';

/** In words, each with its file. Rejects where a pair cannot be used: that is for whoever loads the configuration. */
export async function warningsOfCertificates(
  { tls, certificates, hostname }: Pick<Config, 'tls' | 'certificates' | 'hostname'>,
  now: number,
): Promise<string[]> {
  const own = tls?.cert === undefined ? [] : [{ ...tls, name: hostname }];
  const warnings = await Promise.all(
    [...own, ...certificates.map((pair) => ({ ...pair, name: undefined }))].map(async ({ name, ...pair }) => {
      const { facts } = await readKeyPair(pair);
      const isForAnother = name !== undefined && !coversName(facts.names, name);
      const faults = findFaults({ ...facts, ...(isForAnother && { shownFor: name }) }, now);
      return faults.map((fault) => `${pair.cert}: ${fault}`);
    }),
  );
  return warnings.flat();
}
