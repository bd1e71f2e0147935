/** Address checks as an operation: what the server does not check now is an error that says why. */

import type { AddressChecker } from '../delivery/address-checker.ts';
import type { AddressCheck, OwnAddress } from '../delivery/check-address.ts';
import { type Address, formatAddress } from '../mail/address.ts';
import type { Directory } from '../queue/directory.ts';
import { AdminError } from './admin.ts';

export function addressChecks(
  checker: Pick<AddressChecker, 'check'>,
): (address: string) => Promise<AddressCheck> {
  return async (address) => {
    const found = await checker.check(address);
    if (!('notChecked' in found)) return found;
    throw new AdminError(found.notChecked === 'too many' ? 'too-many' : 'connection', found.text);
  };
}

/** Whether an address of our own domains leads to anybody. */
export function ownAddresses(
  directory: Pick<Directory, 'resolve'>,
): (address: Address) => Promise<OwnAddress | undefined> {
  return async (address) => {
    const { status } = await directory.resolve(address, formatAddress(address));
    if (status === 'elsewhere') return undefined;
    return status === 'found' ? 'known' : 'unknown';
  };
}
