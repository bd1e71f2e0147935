/**
 * Finds `helo`: is the name by which the client introduces itself one that it can have? RFC 5321 §2.3.5 and §4.1.4: a full
 * name that DNS knows, or the address itself in brackets. Many honest clients have a bad one, so this is a finding and no more.
 */

import type { LookUps } from '../../authentication/look-ups.ts';
import { parseDomain } from '../../mail/domain.ts';
import type { HeloFact } from '../../policy/facts.ts';
import { type CheckParts, remembering, withLookUps } from './check-look-ups.ts';
import type { FactSource } from './fact-source.ts';

export interface HeloParts extends CheckParts {
  hostname: string;
  domains: readonly { name: string }[];
}

export function heloSource(parts: HeloParts): FactSource {
  const findName = remembering<Known>(
    parts,
    (name) => withLookUps(parts, (dns) => lookFor(dns, name)),
    (known) => typeof known === 'string',
  );
  return {
    finds: ['helo'],
    ofClient: async ({ session: { hello, peer } }) => ({
      helo: await checkHelo({ ...parts, findName }, hello?.name ?? '', peer.address),
    }),
  };
}

/** What DNS knows of a name. */
type Known = 'found' | 'none' | { failed: string };

interface Naming extends Pick<HeloParts, 'hostname' | 'domains'> {
  findName(name: string): Promise<Known>;
}

async function checkHelo(parts: Naming, name: string, client: string): Promise<HeloFact> {
  const said = `the client introduced itself as "${name.slice(0, 100)}"`;
  if (name.startsWith('[')) return literal(name, client, said);
  // An underscore is wrong in the name of a host, and harmless: DNS knows such names.
  const domain = parseDomain(name.replace(/\.$/, '').replaceAll('_', '-'));
  if (domain === undefined || !domain.includes('.'))
    return { result: 'malformed', why: `${said}, which is no full name of a host` };
  if (domain === parts.hostname || parts.domains.some((own) => own.name === domain))
    return { result: 'ours', why: `${said}, which is a name of ours` };
  const found = await parts.findName(name.replace(/\.$/, ''));
  if (found === 'found') return { result: 'good', why: `${said}, a name that DNS knows` };
  if (found === 'none') return { result: 'missing', why: `${said}, a name without addresses` };
  return {
    result: 'temperror',
    why: `${said}, and DNS does not tell whether there is such a name (${found.failed})`,
  };
}

/** RFC 5321 §4.1.3. */
function literal(name: string, client: string, said: string): HeloFact {
  const address = name.slice(1, name.endsWith(']') ? -1 : undefined).replace(/^ipv6:/i, '');
  const isClients = address.toLowerCase() === client.toLowerCase();
  return isClients
    ? { result: 'good', why: `${said}, its address` }
    : { result: 'ours', why: `${said}, which is not its address` };
}

/** Addresses mostly; a name with an MX alone is one, too (RFC 5321 §2.3.5). */
async function lookFor(dns: LookUps, name: string): Promise<Known> {
  const addresses = await Promise.all([dns.ask(name, 'A'), dns.ask(name, 'AAAA')]);
  if (addresses.some(({ status }) => status === 'found')) return 'found';
  const mx = await dns.ask(name, 'MX');
  if (mx.status === 'found') return 'found';
  const failed = [...addresses, mx].find((answer) => answer.status === 'failed');
  return failed ? { failed: failed.detail } : 'none';
}
