/** What a milter is told of a session and its messages, by Sendmail's names for it. */

import type { IprevVerdict } from '../../authentication/verdicts.ts';
import type { Macros } from '../../filter/milter/macros.ts';
import type { Recipient } from '../../queue/directory.ts';
import type { Session, Transaction } from '../door.ts';

const resolved = {
  pass: 'OK',
  fail: 'FORGED',
  permerror: 'FAIL',
  temperror: 'TEMP',
} as const satisfies Record<IprevVerdict['result'], string>;

/** Of the connection and of HELO. */
export function sessionMacros(hostname: string, { via, peer, tls }: Session, iprev: IprevVerdict): Macros {
  const name = clientName(peer.address, iprev);
  return {
    j: hostname,
    _: `${name === `[${peer.address}]` ? '' : `${name} `}[${peer.address}]`,
    v: 'Posthorn',
    daemon_name: via,
    daemon_addr: peer.localAddress,
    daemon_port: String(peer.localPort),
    if_addr: peer.localAddress,
    client_addr: peer.address,
    client_name: name,
    client_port: String(peer.port),
    client_ptr: iprev.name === '' ? 'unknown' : iprev.name,
    client_resolve: resolved[iprev.result],
    tls_version: tls?.version,
    cipher: tls?.cipher,
  };
}

/** Confirmed by the name's own addresses, else the address in brackets. */
export const clientName = (address: string, { result, name }: IprevVerdict): string =>
  result === 'pass' ? name : `[${address}]`;

export const senderMacros = ({ account }: Session, { queueId, reversePath }: Transaction): Macros => ({
  i: queueId,
  auth_authen: account,
  // That there was a login is what filters look for (opendkim signs then); by which mechanism is nobody's business.
  auth_type: account === undefined ? undefined : 'SASL',
  mail_addr: reversePath,
  mail_host: hostOf(reversePath),
  mail_mailer: 'esmtp',
});

export const recipientMacros = (
  { queueId }: Transaction,
  address: string,
  found: readonly Recipient[],
): Macros => ({
  i: queueId,
  rcpt_addr: address,
  rcpt_host: hostOf(address),
  rcpt_mailer: found.every(({ kind }) => kind === 'local') ? 'local' : 'esmtp',
});

const hostOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1);
