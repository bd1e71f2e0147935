/**
 * SPF (RFC 7208): may this client send mail of this domain? What is asked of whom (§2.3, §2.4), and the answer in our
 * words; spf-evaluate.ts finds it out.
 */

import { domainToASCII } from 'node:url';
import { findCanonicalIp, parseIpv4 } from '../dns/ip.ts';
import { shownText } from './key-record.ts';
import type { LookUps } from './look-ups.ts';
import { ipv6Octets } from './spf-address.ts';
import { type Evaluation, evaluateSpf, type SpfClient } from './spf-evaluate.ts';
import type { Receiver } from './spf-macro.ts';
import type { SpfResult, SpfVerdict } from './verdicts.ts';

export interface Sender {
  /** IPv4 or IPv6, from the socket. */
  clientAddress: string;
  /** What HELO or EHLO said. */
  helo: string;
  /** `local@domain` without angle brackets; '' is the null reverse-path. */
  reversePath: string;
  /** Who asks. Absent: failures are not explained. */
  receiver?: Receiver;
}

/** Longer than any path (RFC 5321 §4.5.3.1.3) and any host name; what is longer names no domain. */
const longestIdentity = 512;

export async function checkSpf(lookUps: LookUps, sender: Sender): Promise<SpfVerdict> {
  const scope = sender.reversePath === '' ? 'helo' : 'mailfrom';
  const identity = scope === 'helo' ? sender.helo : sender.reversePath;
  if (identity.length > longestIdentity)
    return { result: 'none', domain: '', scope, reason: 'the name is too long' };
  const domain = domainOf(identity);
  const client = clientOf(sender, identity, domain);
  if (client === undefined)
    return { result: 'permerror', domain, scope, reason: 'the client has no IP address' };
  if (domain === '') return { result: 'none', domain, scope, reason: 'there is no domain to check' };
  const evaluation = await evaluateSpf(lookUps, client, domain);
  const { result, path, record, recordDomain, explanation } = evaluation;
  return {
    result,
    domain,
    scope,
    ...(path.length > 0 && { mechanism: shownText(path.join(', there ')) }),
    ...(record !== undefined && { record: shownText(record) }),
    ...(recordDomain !== undefined && { recordDomain }),
    ...(explanation !== undefined && { explanation: shownText(explanation) }),
    reason: reasonFor(evaluation, domain, sender.clientAddress),
  };
}

/**
 * The name in HELO by itself (§2.3). Absent where checkSpf() has asked its domain already, for the null sender or since it is the
 * same, and where it is no name that could have a record.
 */
export async function checkSpfOfHelo(
  lookUps: () => LookUps,
  sender: Sender,
): Promise<SpfVerdict | undefined> {
  const { helo, reversePath } = sender;
  if (reversePath === '' || helo.length > longestIdentity || !isFullName(helo)) return undefined;
  if (domainOf(helo) === domainOf(reversePath.slice(-longestIdentity))) return undefined;
  return checkSpf(lookUps(), { ...sender, reversePath: '' });
}

/** Several labels, of which the last is no number: neither an address nor the short name of a machine. */
function isFullName(name: string): boolean {
  const labels = name.replace(/\.$/, '').split('.');
  return labels.length > 1 && !/^\d*$/.test(labels.at(-1) ?? '') && !/[\s[\]:@]/.test(name);
}

/** '' where there is none that could be asked for. */
function domainOf(identity: string): string {
  const name = asciiDomain(identity.slice(identity.lastIndexOf('@') + 1).replace(/\.$/, ''));
  return /^[\x21-\x7e]+$/.test(name) ? name : '';
}

/** In A-labels, lower-case (RFC 8616 §3); as it is, where it is no host name. */
const asciiDomain = (name: string): string =>
  (/^[\x21-\x7e]*$/.test(name) ? name : domainToASCII(name) || name).toLowerCase();

/** A sender without a local part is postmaster (§4.3), as is HELO (§2.3). */
function clientOf(
  { clientAddress, helo, receiver }: Sender,
  identity: string,
  domain: string,
): SpfClient | undefined {
  const address = findCanonicalIp(clientAddress.replace(/%.*$/s, ''));
  const octets = address && (parseIpv4(address) ?? ipv6Octets(address));
  if (!address || !octets) return undefined;
  const at = identity.lastIndexOf('@');
  const local = at > 0 ? identity.slice(0, at) : 'postmaster';
  return {
    address,
    octets,
    helo: helo.slice(0, longestIdentity),
    sender: `${local}@${domain}`,
    ...(receiver && { receiver }),
  };
}

const saying: Partial<Record<SpfResult, string>> = {
  pass: 'permits',
  fail: 'does not permit',
  softfail: 'probably does not permit',
  neutral: 'says nothing about',
};

function reasonFor({ result, path, problem = '' }: Evaluation, domain: string, address: string): string {
  if (result === 'none') return `${domain} has no SPF record`;
  const verb = saying[result];
  if (verb === undefined) return problem;
  const by = path.length > 0 ? ` by ${path.join(', there ')}` : ': no mechanism matches';
  return shownText(`${domain} ${verb} ${address}${by}`);
}
