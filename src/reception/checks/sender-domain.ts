/**
 * Finds `senderDomain`: could a reply to the reverse-path arrive? Its domain has an MX, or an address (RFC 5321 §5.1), and does not
 * say by a null MX that it takes no mail (RFC 7505 §4.2).
 */

import type { LookUps } from '../../authentication/look-ups.ts';
import { parseAddress } from '../../mail/address.ts';
import type { SenderDomainFact } from '../../policy/facts.ts';
import { type CheckParts, remembering, withLookUps } from './check-look-ups.ts';
import type { FactSource } from './fact-source.ts';

export function senderDomainSource(parts: CheckParts): FactSource {
  const find = remembering<SenderDomainFact>(
    parts,
    (domain) => withLookUps(parts, (dns) => checkDomain(dns, domain)),
    ({ result }) => result !== 'temperror',
  );
  return {
    finds: ['senderDomain'],
    ofClient: async ({ transaction: { reversePath } }) => {
      const domain = parseAddress(reversePath)?.domain ?? '';
      if (domain === '' || domain.startsWith('['))
        return { senderDomain: { result: 'none', domain, why: 'the reverse-path has no domain' } };
      return { senderDomain: await find(domain) };
    },
  };
}

async function checkDomain(dns: LookUps, domain: string): Promise<SenderDomainFact> {
  const mx = await dns.ask(domain, 'MX');
  if (mx.status === 'found') {
    const isNull = mx.records.every(({ exchange }) => exchange === '');
    return isNull
      ? { result: 'null-mx', domain, why: `${domain} says by a null MX that it takes no mail` }
      : { result: 'exists', domain, why: `${domain} has an MX` };
  }
  if (mx.status === 'none' && mx.reason === 'nxdomain')
    return { result: 'missing', domain, why: `there is no domain ${domain}` };
  const answers = await Promise.all([dns.ask(domain, 'A'), dns.ask(domain, 'AAAA')]);
  if (answers.some(({ status }) => status === 'found'))
    return { result: 'exists', domain, why: `${domain} has an address` };
  const failed = [mx, ...answers].find((answer) => answer.status === 'failed');
  return failed?.status === 'failed'
    ? { result: 'temperror', domain, why: `whether ${domain} takes mail is not known now (${failed.detail})` }
    : { result: 'missing', domain, why: `${domain} has neither MX nor addresses` };
}
