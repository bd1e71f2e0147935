/** Greylisting as operators see and change it. */

import { parseDomain } from '../mail/domain.ts';
import { canonicalAddress, findFamily } from '../net/addresses.ts';
import type { Greylist } from '../reception/greylist/greylist.ts';
import type { Admin } from './admin.ts';
import { AdminError } from './admin-error.ts';

export interface GreylistOperationsParts {
  greylist(): Promise<Greylist>;
}

/** Entries on one page. */
const maxPage = 1000;

export function greylistOperations({
  greylist,
}: GreylistOperationsParts): Pick<Admin, 'listGreylist' | 'allowGreylist' | 'removeGreylist'> {
  return {
    async listGreylist({ after = 0, limit }) {
      const entries = (await greylist()).list();
      const end = after + Math.min(limit, maxPage);
      return { entries: entries.slice(after, end), ...(end < entries.length && { next: end }) };
    },
    async allowGreylist({ name, by, reason }) {
      const known = nameOf(name);
      const list = await greylist();
      list.allow(known, { by, ...(reason !== undefined && { reason }) });
      await list.flush();
      return { name: known };
    },
    async removeGreylist({ name }) {
      const list = await greylist();
      const count = list.remove(nameOf(name));
      await list.flush();
      return { count };
    },
  };
}

/** A block of addresses, or a domain, as they are listed. */
function nameOf(text: string): string {
  const [address = '', bits] = text.trim().split('/');
  const family = findFamily(address);
  if (family !== undefined) {
    const most = family === 4 ? 32 : 128;
    const isBlock =
      bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) > 0 && Number(bits) <= most);
    if (isBlock)
      return bits === undefined ? canonicalAddress(address) : `${canonicalAddress(address)}/${Number(bits)}`;
  }
  const domain = parseDomain(text.trim());
  // Of a single label, such as a word that was typed into the wrong place, nobody gets mail.
  if (family === undefined && domain?.includes('.')) return domain;
  throw new AdminError(
    'bad-request',
    `${JSON.stringify(text.slice(0, 300))} is neither a network nor a domain. Write 192.0.2.0/24, 2001:db8::/64 or example.org.`,
  );
}
