/** The paths of MAIL and RCPT as addresses (RFC 5321 §4.1.1.3, §4.1.2), and what is said of those that are none. */

import { type Address, parseAddress } from '../mail/address.ts';
import { type Reply, reply } from '../smtp/reply.ts';

export const unknownUser = (spelled: string): Reply =>
  reply(550, '5.1.1', `No such user here: <${spelled.slice(0, 100)}>; check the address`);

/** No word of why, and of whom: that is between the mailbox and its postmaster. */
export const closedMailbox = (spelled: string): Reply =>
  reply(550, '5.2.1', `The mailbox <${spelled.slice(0, 100)}> takes no mail; reach its owner another way`);

/** Nothing was lost yet, and somebody here can mend it: the log says what. */
export const endlessAddress = (spelled: string): Reply =>
  reply(
    452,
    '4.2.4',
    `<${spelled.slice(0, 100)}> leads to more addresses than are followed; its postmaster must divide it`,
  );

export const isAddress = (value: Address | Reply): value is Address => 'domain' in value;

/** RFC 5321 §4.1.1.3, appendix F.2: a source route `@a,@b:` is accepted and ignored. */
export const withoutRoute = (path: string): string => path.replace(/^@[^:]*:/, '');

/** The address in a path, or the refusal. `<postmaster>` without a domain is one (RFC 5321 §4.5.1). */
export function readPath(path: string, smtputf8: boolean): Address | Reply {
  const text = withoutRoute(path);
  if (text.toLowerCase() === 'postmaster') return { localPart: 'postmaster', domain: '' };
  const address = parseAddress(text);
  if (!address)
    return reply(553, '5.1.3', `Cannot read the address <${text.slice(0, 100)}>; write user@example.org`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of ASCII
  if (!smtputf8 && /[^\x00-\x7f]/.test(text))
    return reply(553, '5.6.7', 'An address beyond ASCII needs the SMTPUTF8 parameter at MAIL (RFC 6531)');
  return address;
}
