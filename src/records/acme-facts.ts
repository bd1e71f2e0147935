/** Who issues our certificates, and to which account: for CAA records. RFC 8657 §3, RFC 8555 §9.7.6. */

import type { Config } from '../config/config.ts';
import { parseDomain } from '../mail/address.ts';
import { accountFile, readAccountFile } from '../net/acme-account.ts';
import type { UnusableFile } from './unusable-file.ts';
import type { RecordFacts } from './wanted-record.ts';

/** What authorities are called in CAA records, by the hosts of their directories: before they have said so themselves. */
const knownIdentities: Readonly<Record<string, string>> = {
  'acme-v02.api.letsencrypt.org': 'letsencrypt.org',
  'acme-staging-v02.api.letsencrypt.org': 'letsencrypt.org',
  'acme.zerossl.com': 'sectigo.com',
  'dv.acme-v02.api.pki.goog': 'pki.goog',
  'api.buypass.com': 'buypass.com',
};

/** Nothing where no authority is asked, its name is not known, or our account cannot be read: then that is told. */
export async function readAcmeFacts({
  acme,
  dataDir,
}: Config): Promise<Pick<RecordFacts, 'acme'> & { unusable?: UnusableFile }> {
  if (!acme?.enabled) return {};
  const { directory, challenge } = acme;
  const read = await readAccountFile(dataDir);
  if ('problem' in read) return { unusable: { role: 'account', file: accountFile(dataDir), ...read } };
  const told = (read.value?.caaIdentities?.[directory] ?? []).flatMap((name) => parseDomain(name) ?? []);
  const known = knownIdentities[new URL(directory).hostname];
  const issuers = told.length > 0 || known === undefined ? told : [known];
  if (issuers.length === 0) return {};
  const account = read.value?.accounts[directory];
  const accountUri = account !== undefined && isParameter(account) ? account : undefined;
  return {
    acme: { issuers, methods: [challenge], ...(accountUri !== undefined && { accountUri }) },
  };
}

/** RFC 8659 §4.2: a parameter's value is printable and has no semicolon; quotes would end the text. */
const isParameter = (text: string): boolean => /^[!#-:<-[\]-~]+$/.test(text);
