/** The account with the certificate authority, as it lies in the data directory: kept by the server, read by those who name it in DNS. */

import { join } from 'node:path';
import * as v from 'valibot';
import { readJson } from '../util/json-file.ts';
import { issuedDirectory } from './issued-files.ts';

const shape = v.object({
  /** PEM. */
  key: v.string(),
  /** By the address of the authority's directory: that of the account. */
  accounts: v.record(v.string(), v.string()),
  /** Likewise: what stands for the authority in CAA records, as it has said itself. */
  caaIdentities: v.exactOptional(v.record(v.string(), v.array(v.string()))),
});

export type AccountFile = v.InferOutput<typeof shape>;

export const accountFile = (dataDir: string): string => join(issuedDirectory(dataDir), 'account.json');

/** `value` undefined: there is no account yet. `problem` completes the name of the file. */
export const readAccountFile = (dataDir: string) => readJson(accountFile(dataDir), shape);
