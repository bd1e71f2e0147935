import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { configPlace } from '../testing/config-place.ts';
import { parseConfig } from './load.ts';

const { problemsOf } = configPlace();
const testdata = join(import.meta.dirname, 'testdata');

describe('parseConfig() of what is wrong', () => {
  test('parseConfig() tells all problems at once, each with its line and its remedy', async () => {
    const problems = await problemsOf(`hostname = "mx example"
datadir = "x"
[[listener]]
protocol = "smpt"
[[listener]]
protocol = "submission"
port = 70000
[[listener]]
protocol = "pop3s"
[tls]
cert = "missing.pem"
key = "garbage.pem"
[[domain]]
name = "example.com"
dkim = { selector = "x", key = "nowhere.pem" }
`);
    expect(problems).toEqual([
      expect.stringMatching(/^1 hostname: "mx example" is not a host name \| .*mx\.example\.com/),
      expect.stringMatching(/^2 datadir: there is no such key \| Did you mean dataDir\?/),
      expect.stringMatching(/^4 listener\[1\]\.protocol: "smpt" is not one of .* \| Did you mean "smtp"\?/),
      expect.stringMatching(/^7 listener\[2\]\.port: 70000 is not a port \|/),
      expect.stringMatching(/^11 tls\.cert: there is no file .*missing\.pem \|/),
      expect.stringMatching(/^12 tls\.key: .*garbage\.pem is not an unencrypted PEM private key/),
      expect.stringMatching(
        /^15 domain\[1\]\.dkim\.key: there is no file .*nowhere\.pem \| .*dkim generate example\.com/,
      ),
    ]);
  });

  const base = 'hostname = "mx.example.com"\n';

  test('parseConfig() lets one bad key hide nothing of the others in its table', async () => {
    const problems = await problemsOf(`
      hostname = "mx.example.com"
      [[listener]]
      protocol = "submission"
      port = 99999
      [[listener]]
      protocol = "pop3"
      address = "192.0.2.1"
      port = "x"
      allowPlaintextAuth = true
      [[domain]]
      name = "exa mple.com"
      dkim = { selector = "posthorn", key = "nofile.pem" }
    `);
    const keys = problems.map((problem) => problem.split(':')[0]);
    expect(keys).toEqual([
      '4 listener[1].protocol',
      '5 listener[1].port',
      '9 listener[2].port',
      '10 listener[2].allowPlaintextAuth',
      '12 domain[1].name',
      '13 domain[1].dkim.key',
    ]);
  });

  test('P5: a trusted network that is the whole Internet is refused', async () => {
    for (const network of ['0.0.0.0/0', '::/0']) {
      expect(await problemsOf(`${base}[relay]\ntrustedNetworks = ["${network}"]`)).toHaveLength(1);
    }
  });

  test('parseConfig() refuses a key that belongs to another certificate', async () => {
    const withKey = (key: string) =>
      `${base}[tls]\ncert = "${join(testdata, 'self-signed.crt')}"\nkey = "${key}"`;
    expect(await problemsOf(withKey(join(testdata, 'self-signed.key')))).toEqual([]);
    expect(await problemsOf(withKey('dkim.pem'))).toEqual([
      expect.stringContaining('does not belong to the certificate'),
    ]);
  });

  test('parseConfig() tells of a list that is too long, not of each of its entries', async () => {
    const toml = `hostname = "mx.example.org"\nresolver = [${'"",'.repeat(5001)}]`;
    const read = parseConfig(toml, '/posthorn.toml', { checkFiles: false });
    await expect(read).rejects.toThrow(/posthorn\.toml: resolver: has 5001 entries, of at most 5000/);
  });
});
