/**
 * Files of certificates, of keys to come and of the account that are there and cannot be used: what is missing of the records
 * because of each, and what to do. Words only; who reads the files is beside this.
 */

import { accountRemedy } from '../net/acme-account.ts';

export type FileRole =
  /** Of `[tls]` or a `[[certificate]]`. */
  | 'configured'
  /** A certificate from an authority, with its key. */
  | 'issued'
  /** Of the certificate that is to come. */
  | 'next-key'
  | 'self-signed'
  /** With the certificate authority. */
  | 'account';

export interface UnusableFile {
  role: FileRole;
  file: string;
  /** Completes its name: `is damaged`. */
  problem: string;
  /** To the user who asks; what is in it may be in order. */
  isForbidden?: true;
  /** The name that the certificate is for, where it comes from an authority. */
  name?: string;
}

const keyWords = 'key: look at the TLSA records then (posthorn dns records), where there are any.';

const remedies: Readonly<Record<Exclude<FileRole, 'issued'>, string>> = {
  configured:
    'A server does not start with it; one that runs keeps what it read before. Put a certificate and its own key there, as PEM, and see: posthorn config check.',
  'next-key':
    'The key is lost. Move the file away, start the server again, and have it make another: posthorn tls rollover. A TLSA record of the lost one can go.',
  'self-signed': `A server that is started makes another, with another ${keyWords}`,
  account: accountRemedy,
};

const forbidden =
  'Ask again as root, or as the user that the server runs as. Where that is who asked, give it the file, and the directory.';

export function remedyOf({ role, name, isForbidden }: UnusableFile): string {
  if (isForbidden) return forbidden;
  if (role !== 'issued') return remedies[role];
  return `A server that has run since before still has what was in it, and writes it anew, with the same key: posthorn tls renew ${name} --force. One that is started asks the authority for another, maybe with another ${keyWords}`;
}

/** What the list of records lacks. */
const missing: Readonly<Record<FileRole, string>> = {
  configured: 'TLSA records are missing here',
  issued: 'TLSA records are missing here where it is for our own name, and MTA-STS waits for it',
  'next-key': 'TLSA records are missing here, since that of the key to come is not known',
  'self-signed': 'TLSA records are missing here',
  account: 'the CAA record is missing here',
};

/** What is wrong, and what follows for the records that are shown: a sentence. */
export const missingText = ({ file, problem, role }: UnusableFile): string =>
  `${file} ${problem}: ${missing[role]}.`;

/** Likewise, and what to do. */
export const unusableText = (unusable: UnusableFile): string =>
  `${missingText(unusable)} ${remedyOf(unusable)}`;
