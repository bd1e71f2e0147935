/**
 * The answer to our own users, and to programs on trusted networks, whose mail is for an address that nobody has. Only
 * what is to leave for there is refused, at RCPT; never mail from outside, nor what an alias leads to.
 */

import type { Address } from '../mail/address.ts';
import type { Suppression, Suppressions } from '../queue/suppressions.ts';
import { type Reply, reply } from '../smtp/reply.ts';

/** A reply's line has 512 octets (RFC 5321 §4.5.3.1.5); the address is there twice. */
const maxAddress = 100;
const maxSaid = 120;

/** In ASCII, whatever the other server said. */
const plain = (text: string, length: number): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, length);

/** At the doors of our own. */
export function refuseSuppressed(
  { suppressions }: { suppressions?: Pick<Suppressions, 'findRefusal'> },
  recipient: Address,
): Reply | undefined {
  const found = suppressions?.findRefusal(recipient);
  return found && suppressedReply(found);
}

export function suppressedReply(suppression: Suppression): Reply {
  const { address, refusedUntil = 0 } = suppression;
  const whom = plain(address, maxAddress);
  const until = new Date(refusedUntil).toISOString().slice(0, 16).replace('T', ' ');
  return reply(
    550,
    '5.1.1',
    `<${whom}>: ${whySuppressed(suppression)}`,
    `Not tried again before ${until} UTC. Is the address right? Then ask your postmaster, who can end this:`,
    `posthorn suppression remove ${whom}`,
  );
}

/** In ASCII. */
export function whySuppressed({ by, reason, failures, lastAt, reply: said = '' }: Suppression): string {
  if (by !== undefined)
    return plain(`mail to it was stopped by ${by}${reason === undefined ? '' : `: ${reason}`}`, 250);
  const day = new Date(lastAt).toISOString().slice(0, 10);
  return `its server said ${failures} times that nobody has this address, last on ${day}: ${plain(said, maxSaid)}`;
}
