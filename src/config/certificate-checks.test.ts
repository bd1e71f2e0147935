import { describe, expect, it } from 'vitest';
import { letsEncrypt } from './acme.ts';
import { parseConfig } from './load.ts';

const configOf = (toml: string) =>
  parseConfig(`hostname = "mx.example.com"\n${toml}`, '/etc/posthorn/posthorn.toml', { checkFiles: false });
const http = '\n[[listener]]\nprotocol = "http"\n';

describe('[acme]', () => {
  it('asks Let’s Encrypt by HTTP where nothing else is said', async () => {
    expect((await configOf(`[acme]\ntermsAgreed = true${http}`)).acme).toMatchObject({
      enabled: true,
      directory: letsEncrypt,
      challenge: 'http-01',
      keyType: 'ecdsa',
      dane: false,
    });
  });

  it('is TLS enough for listeners with passwords', async () => {
    const toml = `[acme]\ntermsAgreed = true${http}[[listener]]\nprotocol = "submissions"`;
    expect((await configOf(toml)).tls).toBeUndefined();
  });

  it.each([
    [`[acme]${http}`, 'acme.termsAgreed: no authority issues a certificate to who has not agreed'],
    ['[acme]\ntermsAgreed = true', 'acme.challenge: the authority looks at port 80 (http-01), where nothing'],
    [
      '[acme]\ntermsAgreed = true\nchallenge = "tls-alpn-01"',
      'acme.challenge: the authority looks at port 443',
    ],
    ['[acme]\ntermsAgreed = true\nchallenge = "dns-01"', 'acme.hook: dns-01 needs a program'],
    [
      '[acme]\ntermsAgreed = true\nchallenge = "dns-01"\nhook = ["hook"]',
      'acme.hook: dns-01 needs a program that enters and removes TXT records, by its full path',
    ],
    [
      `[acme]\ntermsAgreed = true\neabKeyId = "x"${http}`,
      'acme.eabKeyId: an external account has an id and a key',
    ],
    [`[acme]\ntermsAgreed = true\nkeyTipe = "rsa"${http}`, 'Did you mean keyType?'],
    [`[acme]\ntermsAgreed = true\ndirectory = "http://ca.example"${http}`, 'is not an https: address'],
    ['[[certificate]]\nnames = ["a.example"]', 'certificate[1].names: there is no [acme] table'],
    [`[[certificate]]\nnames = []\n[acme]\ntermsAgreed = true${http}`, 'certificate[1].names: names nothing'],
    [
      `[[certificate]]\nnames = ["*.a.example"]\n[acme]\ntermsAgreed = true${http}`,
      '*.a.example can be proven by DNS only',
    ],
    ['[[certificate]]', 'certificate[1]: it does not say where it comes from'],
    [
      '[[certificate]]\ncert = "a"\nkey = "b"\nnames = ["a.example"]',
      'it comes from files and by ACME at once',
    ],
  ])('is told what is wrong with %j', async (toml, problem) => {
    await expect(configOf(toml)).rejects.toThrow(problem);
  });

  it('is not looked at where it is not enabled', async () => {
    expect((await configOf('[acme]\nenabled = false')).acme?.enabled).toBe(false);
  });
});
