/** What the configuration allows, and should not, though it can be read. Pure. */

import type { Config } from '../config/config.ts';
import { domainsWithoutSource, sourceRemedy } from '../delivery/route/sources.ts';
import { addressClass } from '../net/addresses.ts';
import { type Finding, found, good } from './finding.ts';

/** Blocks that hold more than this many bits of freedom are more or less everybody. */
const widest = { ipv4: 8, ipv6: 16 };

export function examineSettings(config: Config): Finding[] {
  const { listeners, relay, domains } = config;
  const findings: Finding[] = [];
  const wide = relay.trustedNetworks.filter(isWide);
  if (wide.length > 0)
    findings.push(
      found('relay-trusts-all', {
        evidence: `[relay] trustedNetworks holds ${wide.join(', ')}`,
        remedy:
          'Whoever is in it sends mail through this server, to anybody. Name only networks of your own.',
      }),
    );
  const inside = listeners.filter(({ protocol }) => protocol === 'submission' || protocol === 'submissions');
  if (inside.length === 0 && relay.trustedNetworks.length === 0)
    findings.push(
      found('config-no-submission', {
        evidence: 'no listener is for submission or submissions',
        remedy: 'Mail programs need one: [[listener]] protocol = "submissions" (port 465).',
      }),
    );
  for (const { allowPlaintextAuth, address, port } of listeners)
    if (allowPlaintextAuth && addressClass(address) !== 'loopback')
      findings.push(
        found('config-plaintext-login', {
          evidence: `the listener at ${address} port ${port} has allowPlaintextAuth`,
          remedy: 'Whoever is on the way reads passwords. Take it out; mail programs can all do TLS.',
        }),
      );
  for (const { name, dkim } of domains)
    if (dkim === undefined || (Array.isArray(dkim) && dkim.length === 0))
      findings.push(
        found('dkim-no-key', {
          about: name,
          evidence: `no DKIM key is configured for ${name}`,
          remedy: `Big receivers refuse unsigned mail in larger numbers. Make one: posthorn dkim generate ${name}`,
        }),
      );
  return findings.length > 0
    ? findings
    : [good('configuration', `${config.file} asks for nothing dangerous`)];
}

function isWide(network: string): boolean {
  const [address = '', bits] = network.split('/');
  const kind = addressClass(address);
  if (bits === undefined || kind === 'loopback' || kind === 'private') return false;
  return Number(bits) < (address.includes(':') ? widest.ipv6 : widest.ipv4) || Number(bits) === 0;
}

/** Domains that no address of ours is for. */
export const unsentDomains = (
  config: Pick<Config, 'domains' | 'sources'>,
): { domain: string; finding: Finding }[] =>
  domainsWithoutSource(config).map((domain) => ({
    domain,
    finding: found('no-source', {
      evidence: 'no [[source]] is for this domain',
      remedy: sourceRemedy(domain),
    }),
  }));
