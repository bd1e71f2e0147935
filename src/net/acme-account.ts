/** The account with the certificate authority, as it lies in the data directory: kept by the server, read by those who name it in DNS. */

import { createPrivateKey } from 'node:crypto';
import { join } from 'node:path';
import * as v from 'valibot';
import { readJson } from '../util/json-file.ts';
import { issuedDirectory } from './issued-files.ts';

const shape = v.object({
  /** PEM, ECDSA P-256. */
  key: v.pipe(v.string(), v.check(isAccountKey)),
  /** By the address of the authority's directory: that of the account. */
  accounts: v.record(v.string(), v.string()),
  /** Likewise: what stands for the authority in CAA records, as it has said itself. */
  caaIdentities: v.exactOptional(v.record(v.string(), v.array(v.string()))),
});

export type AccountFile = v.InferOutput<typeof shape>;

export const accountFile = (dataDir: string): string => join(issuedDirectory(dataDir), 'account.json');

/** Where that file cannot be used. */
export const accountRemedy =
  'No certificate is asked for as long as it is so. Bring it back from a backup. Where there is none, move it away: the server makes ' +
  'another account, and CAA records that name the old one (accounturi) have to be changed; posthorn doctor shows them.';

/** What ES256 can sign with (RFC 7518 §3.4). */
function isAccountKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyDetails?.namedCurve === 'prime256v1';
  } catch {
    return false;
  }
}

/** `value` undefined: there is no account yet. `problem` completes the name of the file. */
export const readAccountFile = (dataDir: string) => readJson(accountFile(dataDir), shape);
