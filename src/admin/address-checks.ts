/** Address checks as an operation: what the server does not check now is an error that says why. */

import type { AddressChecker } from '../delivery/check/address-checker.ts';
import type { AddressCheck, OwnAddress } from '../delivery/check/check-address.ts';
import { type Address, formatAddress, parseAddress } from '../mail/address.ts';
import type { Directory } from '../queue/directory.ts';
import type { Suppression, Suppressions } from '../queue/suppressions.ts';
import { whySuppressed } from '../reception/suppressed.ts';
import { AdminError } from './admin-error.ts';

export function addressChecks(
  checker: Pick<AddressChecker, 'check'>,
  suppressions: Pick<Suppressions, 'findRefusal'>,
): (address: string, options: { fresh?: boolean }) => Promise<AddressCheck> {
  return async (text, options) => {
    const found = await checker.check(text, options);
    if ('notChecked' in found)
      throw new AdminError(found.notChecked === 'too many' ? 'too-many' : 'connection', found.text);
    const address = parseAddress(text);
    const refusal = address && suppressions.findRefusal(address);
    return refusal === undefined ? found : refusedHere(found, refusal);
  };
}

/** What its server says of it is of use to whoever thinks of ending this. */
function refusedHere(found: AddressCheck, suppression: Suppression): AddressCheck {
  const until = new Date(suppression.refusedUntil ?? 0).toISOString().slice(0, 16).replace('T', ' ');
  const text = `Our own users' mail to it is refused until ${until} UTC: ${whySuppressed(suppression)}.`;
  const evidence = [`to end this: posthorn suppression remove ${suppression.address}`];
  return {
    ...found,
    verdict: 'undeliverable',
    why: `${text} Of the address itself: ${found.verdict}. ${found.why}`,
    steps: [...found.steps, { step: 'here', finding: 'bad', text, evidence }],
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
