/** Addresses of ours that have to take mail: postmaster and abuse of each domain, and those that our records send reports to. */

import { readDmarcRecord } from '../authentication/dmarc-record.ts';
import { mailUris } from '../dmarc-rpt/record.ts';
import { formatAddress } from '../mail/address.ts';
import { readReportUris } from '../tls-rpt/record.ts';
import { textsOf } from './answers.ts';
import type { Examining } from './examining.ts';

/** Addresses that are asked about in one session. */
const maxMailboxes = 60;

export async function reportMailboxes({
  config,
  looks,
}: Pick<Examining, 'config' | 'looks'>): Promise<string[]> {
  const domains = config.domains.map(({ name }) => name);
  const roles = domains.flatMap((domain) => [`postmaster@${domain}`, `abuse@${domain}`]);
  const readers = await Promise.all(
    domains.map(async (domain) => {
      const [dmarc, tls] = await Promise.all([
        looks.see(`_dmarc.${domain}`, 'TXT'),
        looks.see(`_smtp._tls.${domain}`, 'TXT'),
      ]);
      const uris = textsOf(dmarc).flatMap((text) => readDmarcRecord(text)?.reportUris ?? []);
      return mailUris([...uris, ...readReportUris(textsOf(tls))]).map(({ address }) =>
        formatAddress(address),
      );
    }),
  );
  const own = readers
    .flat()
    .filter((address) => domains.includes(address.slice(address.lastIndexOf('@') + 1)));
  return [...new Set([...roles, ...own])].slice(0, maxMailboxes);
}
