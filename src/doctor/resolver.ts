/** The resolver that this server relies on: does it answer, and truly? RFC 2308 (NXDOMAIN), RFC 5782 (lists that block it). */

import { textsOf } from './answers.ts';
import type { DnsLooks } from './dns-looks.ts';
import { type Finding, found, good } from './finding.ts';

export interface ResolverParts {
  looks: DnsLooks;
  /** For people. */
  resolver: string;
  /** All of them are on this machine: only then it is believed that they have checked signatures. */
  isLocal: boolean;
  domain: string;
  /** A label that nobody has. */
  nobody: string;
}

export async function examineResolver(parts: ResolverParts): Promise<Finding[]> {
  const { looks, resolver, domain, nobody } = parts;
  const nowhere = `${nobody}.${domain.slice(domain.lastIndexOf('.') + 1)}`;
  const [answer, unchecked, forged] = await Promise.all([
    looks.recurse(domain, 'SOA'),
    looks.recurse(domain, 'SOA', true),
    looks.resolve(nowhere, 'A'),
  ]);
  const replies = [answer, unchecked];
  if (replies.every((reply) => 'error' in reply || reply.rcode === 'REFUSED' || reply.rcode === 'SERVFAIL'))
    return [
      found('resolver-silent', {
        evidence: `${resolver}: ${'error' in answer ? answer.error : `${answer.rcode} for ${domain}`}`,
        remedy:
          'No mail can be sent without DNS. Install a resolver on this machine (unbound, knot-resolver), or name another in `resolver`.',
        isUnknown: true,
      }),
    ];
  if (forged.status === 'found')
    return [
      found('resolver-rewrites', {
        evidence: `${resolver} says that ${nowhere} has the address ${textsOf(forged).join(', ')}: nobody has that name`,
        remedy:
          'Mistyped domains then look alive, block lists list everybody. Use another resolver: best, one of your own on this machine.',
      }),
    ];
  const doubt = await doubtOf(parts);
  if (doubt !== undefined)
    return [
      found('resolver-unvalidating', {
        evidence: doubt,
        remedy:
          'Mail goes out all the same; but where a receiver publishes by DANE which key its server has, we cannot use it. Install a resolver that checks on this machine: apt install unbound, and resolver = ["127.0.0.1"].',
      }),
    ];
  return [good('resolver', `${resolver} answers, knows what does not exist, and checks signatures`)];
}

/** Why what it says of signatures does not count. */
async function doubtOf({ looks, resolver, domain, isLocal }: ResolverParts): Promise<string | undefined> {
  if (!(await validates(looks, domain)))
    return `${resolver} does not say of any answer that its signatures (DNSSEC) were checked`;
  if (isLocal) return undefined;
  return `${resolver} checks signatures (DNSSEC), but is not on this machine: whoever is between could say so, too`;
}

/** By our own zone, if it is signed; else by the root, which is. */
async function validates(looks: DnsLooks, domain: string): Promise<boolean> {
  const isSigned = (await looks.zoneOf(domain))?.isSigned;
  const answer = await looks.recurse(isSigned ? domain : '', 'SOA');
  // Of a zone that is bogus, or of what is not told, nothing follows.
  return !('rcode' in answer) || answer.rcode !== 'NOERROR' || answer.authentic;
}
