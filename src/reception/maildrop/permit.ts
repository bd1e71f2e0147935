/** In whose name a user of this machine may send. Pure. */

import type { Config } from '../../config/config.ts';
import type { SendmailConfig } from '../../config/people.ts';
import { type Address, addressKey, formatAddress, parseAddress } from '../../mail/address.ts';
import { encodeName } from '../../mail/encode-words.ts';
import { fieldValue, findFields, parseHeader } from '../../mail/header.ts';
import { mailboxesOf } from '../../mail/mailboxes.ts';
import type { Identity } from './identity.ts';

/** Of names without one. */
export function ownDomain({
  sendmail,
  hostname,
  domains,
}: Pick<Config, 'sendmail' | 'hostname' | 'domains'>): string {
  if (sendmail.domain !== undefined) return sendmail.domain;
  const isOurs = domains.some(({ name }) => name === hostname);
  return isOurs ? hostname : (domains[0]?.name ?? hostname);
}

/** A name of this machine gets the machine's domain. Undefined for what is no address. */
export function qualified(text: string, domain: string): Address | undefined {
  return parseAddress(text.includes('@') ? text : `${text}@${domain}`);
}

/** Whether that user may write in the name of an address of ours. */
export function mayUse(
  { user, isTrusted }: Identity,
  address: Address,
  { senders, ownDomains }: Pick<SendmailConfig, 'senders'> & { ownDomains: readonly string[] },
): boolean {
  const isOwn = (domain: string) => addressKey(address) === addressKey({ localPart: user, domain });
  if (isTrusted || ownDomains.some(isOwn)) return true;
  const own = senders.filter((each) => each.user === user).flatMap(({ as }) => as);
  return own.includes(addressKey(address)) || own.includes(address.domain);
}

/** The addresses that a message says it is from: its From and Sender. Undefined where these cannot be read. */
export function authorsOf(content: Buffer): Address[] | undefined {
  const { fields } = parseHeader(content);
  const lists = ['from', 'sender'].flatMap((name) =>
    findFields(fields, name).map((field) => mailboxesOf(fieldValue(field))),
  );
  if (lists.includes(undefined)) return undefined;
  return lists.flatMap((list) => list?.mailboxes ?? []);
}

/** `"Cron Daemon" <root@example.com>`; a name that no header field can hold is left out. */
export function fromField(address: Address, fullName: string | undefined): string {
  const name = fullName?.trim() ?? '';
  const isName = name !== '' && name.length <= 100 && !/\p{Cc}/u.test(name);
  return isName ? `${encodeName(name)} <${formatAddress(address)}>` : formatAddress(address);
}
