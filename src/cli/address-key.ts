/** Addresses as people type them, made comparable. */

import { addressKey, parseAddress } from '../mail/address.ts';

/** The key of the account or alias that the text means; what is no address is left as it is, in lower case. */
export function keyOf(text: string): string {
  const address = parseAddress(text);
  return address === undefined ? text.toLowerCase() : addressKey(address);
}
