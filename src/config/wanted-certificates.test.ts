import { describe, expect, it } from 'vitest';
import { parseConfig } from './load.ts';
import { wantedCertificates } from './wanted-certificates.ts';

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
