/** The names that addresses lead back to: whoever gives the address enters them. RFC 1035 §3.5, RFC 3596 §2.5. */

import { reverseName } from '../dns/reverse.ts';
import type { RecordFacts, WantedRecord } from './wanted-record.ts';

export function reverseRecords({ sending, addresses, hostname }: RecordFacts): WantedRecord[] {
  const names = new Map([
    ...addresses.map((address) => [address, hostname] as const),
    ...sending.map(({ address, ehloName }) => [address, ehloName] as const),
  ]);
  return [...names].map(([address, name]) => ({
    domain: reverseName(address),
    name: reverseName(address),
    type: 'PTR',
    data: `${name}.`,
    purpose: 'ptr',
    need: 'required',
    why:
      `big receivers refuse mail from an address without it; your hosting provider enters it: look for "reverse DNS" or "PTR" of ${address} ` +
      `in its panel and enter ${name}, or ask its support for that`,
    where: 'provider',
  }));
}
