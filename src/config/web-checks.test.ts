import { expect, test } from 'vitest';
import { parseConfig } from './load.ts';
import { ConfigError } from './problem.ts';

async function problemsOf(toml: string): Promise<string[]> {
  const text = `hostname = "mx.example.com"\n${toml}`;
  try {
    await parseConfig(text, '/nowhere/posthorn.toml', { checkFiles: false });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ key, what }) => `${key}: ${what}`);
  }
}
const tls = '[tls]\ncert = "a"\nkey = "b"\n';

test.each([
  ['[[listener]]\nprotocol = "https"', 'listener[1].protocol: https needs TLS, but there is no [tls] table'],
  [
    `${tls}[[listener]]\nprotocol = "https"\nproxied = true`,
    'listener[1].proxied: https is not behind a web server',
  ],
  [
    '[[listener]]\nprotocol = "http"\nproxied = true\nproxyProtocol = ["192.0.2.1"]',
    'listener[1].proxied: whoever is in front says in one way whom it speaks for',
  ],
  [
    '[[domain]]\nname = "a.example"\nmtaSts = { mode = "enforce", mx = [] }',
    'domain[1].mtaSts.mx: no host could take mail',
  ],
  [
    '[web]\nproxies = ["0.0.0.0/0"]',
    'web.proxies[1]: "0.0.0.0/0" is not a network smaller than the Internet',
  ],
  [
    '[[domain]]\nname = "a.example"\nmtaSts = { mx = ["*.*.example"] }',
    'domain[1].mtaSts.mx[1]: "*.*.example" is not the name of an MX host',
  ],
])('%s', async (toml, problem) => {
  expect(await problemsOf(toml)).toEqual([problem]);
});

test.each([
  '[[listener]]\nprotocol = "http"',
  '[[listener]]\nprotocol = "http"\naddress = "127.0.0.1"\nport = 8080\nproxied = true\n[web]\nmetrics = []',
  `${tls}[[listener]]\nprotocol = "https"\n[[domain]]\nname = "a.example"\nmtaSts = { mode = "none", mx = [] }`,
])('%s is right', async (toml) => {
  expect(await problemsOf(toml)).toEqual([]);
});
