/** A configuration profile for Apple's mail programs: one account, for which only the password is asked (Apple, "Mail" payload). */

import { createHash } from 'node:crypto';
import type { ClientService } from '../config/client-services.ts';
import { type PlistValue, writePlist } from './plist.ts';

export interface ProfileOf {
  address: string;
  domain: string;
  services: readonly ClientService[];
}

/** Undefined where the listeners offer no way to fetch mail, or none to send it. */
export function mobileconfig({ address, domain, services }: ProfileOf): string | undefined {
  const fetching = services.find(({ does }) => does === 'fetch');
  const sending = services.find(({ does }) => does === 'send');
  if (!fetching || !sending) return undefined;
  const payload = (what: string, more: Record<string, PlistValue>): Record<string, PlistValue> => ({
    // The same each time: a profile that is loaded again takes the place of the first.
    PayloadIdentifier: `${domain}.mail.${digestOf(address).slice(0, 16)}.${what}`,
    PayloadUUID: uuidOf(`${what} ${address}`),
    PayloadVersion: 1,
    PayloadDisplayName: `Mail of ${address}`,
    PayloadOrganization: domain,
    ...more,
  });
  const account = payload('account', {
    PayloadType: 'com.apple.mail.managed',
    EmailAccountDescription: address,
    EmailAccountType: 'EmailTypePOP',
    EmailAddress: address,
    ...placeOf('Incoming', fetching, address),
    ...placeOf('Outgoing', sending, address),
    OutgoingPasswordSameAsIncomingPassword: true,
  });
  return writePlist(payload('profile', { PayloadType: 'Configuration', PayloadContent: [account] }));
}

function placeOf(
  direction: 'Incoming' | 'Outgoing',
  { host, port }: ClientService,
  address: string,
): Record<string, PlistValue> {
  const prefix = `${direction}MailServer`;
  return {
    [`${prefix}Authentication`]: 'EmailAuthPassword',
    [`${prefix}HostName`]: host,
    [`${prefix}PortNumber`]: port,
    // Stands for STARTTLS too, as the port and the server have it.
    [`${prefix}UseSSL`]: true,
    [`${prefix}Username`]: address,
  };
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Version 8, of our own making (RFC 9562 §5.8). */
function uuidOf(text: string): string {
  const hex = digestOf(text);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ]
    .join('-')
    .toUpperCase();
}
