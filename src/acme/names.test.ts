import { describe, expect, it } from 'vitest';
import { parseConfig } from '../config/load.ts';
import type { Resolver } from '../dns/resolver.ts';
import { namesThatAreOurs, wantedCertificates } from './names.ts';

const configOf = (toml: string) =>
  parseConfig(`hostname = "mx.example.com"\n${toml}`, '/etc/posthorn.toml', { checkFiles: false });
const acme = '[acme]\ntermsAgreed = true\nchallenge = "dns-01"\nhook = ["/hook"]\n';

describe('wantedCertificates()', () => {
  const wanted = async (toml: string, covered: string[] = []) =>
    wantedCertificates(await configOf(toml), (name) => covered.includes(name)).map(({ names }) =>
      names.join(),
    );

  it('are our own name alone, those that are configured, and the web names of each domain', async () => {
    const toml = `${acme}[[certificate]]\nnames = ["*.example.org", "example.org"]\n[[listener]]\nprotocol = "https"\n[[domain]]\nname = "example.com"\n[[domain]]\nname = "example.net"`;
    expect(await wanted(toml)).toEqual([
      'mx.example.com',
      '*.example.org,example.org',
      'mta-sts.example.com,autoconfig.example.com,autodiscover.example.com',
      'mta-sts.example.net,autoconfig.example.net,autodiscover.example.net',
    ]);
  });

  it('are no web names without a listener for them', async () => {
    expect(await wanted(`${acme}[[domain]]\nname = "example.com"`)).toEqual(['mx.example.com']);
  });

  it('are not those that have a certificate in files', async () => {
    const files = '[tls]\ncert = "a"\nkey = "b"\n';
    expect(await wanted(`${files}${acme}`)).toEqual([]);
    const web = `${acme}[[listener]]\nprotocol = "https"\n[[domain]]\nname = "example.com"`;
    expect(await wanted(web, ['mx.example.com', 'mta-sts.example.com'])).toEqual([
      'autoconfig.example.com,autodiscover.example.com',
    ]);
  });
});

describe('namesThatAreOurs()', () => {
  const addresses: Record<string, string[] | undefined> = {
    'mx.example.com': ['192.0.2.1', '2001:db8::1'],
    'mta-sts.example.com': ['192.0.2.1'],
    'autoconfig.example.com': ['198.51.100.1'],
    'broken.example.com': undefined,
  };
  const resolver: Resolver = {
    // As only A and AAAA are asked for.
    resolve: async (name: string, type: string) => {
      const all = name in addresses ? addresses[name] : [];
      if (all === undefined) return { status: 'failed', detail: 'SERVFAIL' } as never;
      const records = all.filter((address) => address.includes(':') === (type === 'AAAA'));
      const none = { status: 'none', reason: 'nodata', ttl: 60, authentic: false };
      return (records.length > 0 ? { status: 'found', records, ttl: 60, authentic: false } : none) as never;
    },
  };
  const names = Object.keys(addresses).slice(1);

  it('are those that lead where our own name leads', async () => {
    expect(await namesThatAreOurs(resolver, 'mx.example.com', names, [])).toEqual(['mta-sts.example.com']);
  });

  it('stay what they were where DNS does not say', async () => {
    expect(await namesThatAreOurs(resolver, 'mx.example.com', names, ['broken.example.com'])).toEqual([
      'mta-sts.example.com',
      'broken.example.com',
    ]);
    expect(await namesThatAreOurs(resolver, 'broken.example.com', names, ['autoconfig.example.com'])).toEqual(
      ['autoconfig.example.com'],
    );
  });
});
