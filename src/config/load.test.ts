import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { configPlace } from '../testing/config-place.ts';
import { loadConfig, parseConfig } from './load.ts';

const { directory, file, problemsOf } = configPlace();
const base = 'hostname = "mx.example.com"\n';
const testdata = join(import.meta.dirname, 'testdata');

describe('parseConfig()', () => {
  test('parseConfig() fills in every default', async () => {
    const config = await parseConfig('hostname = "MX.Example.com"\n[[listener]]\nprotocol = "smtp"', file);
    expect(config).toMatchObject({
      file,
      hostname: 'mx.example.com',
      dataDir: join(directory, 'data'),
      resolver: [],
      listeners: [
        { protocol: 'smtp', address: '::', port: 25, allowPlaintextAuth: false, bareNewline: 'reject' },
      ],
      domains: [],
      relay: { trustedNetworks: [] },
      delivery: {
        port: 25,
        allowPrivateAddresses: false,
        permanentFailures: 'careful',
        retryMinutes: [5, 15, 30, 60, 120, 240, 360],
        lifetimeHours: 120,
        delayWarningHours: 4,
        doubtMinutes: 10,
      },
      limits: { messageBytes: 52_428_800, recipients: 1000, idleMs: 600_000 },
      dossier: { enabled: true, days: 30 },
      reports: {
        tls: true,
        dmarc: false,
        dmarcExcept: [],
        abuse: false,
        read: true,
        mailboxes: [],
        days: 180,
      },
    });
    expect(config.limits.sessionsPerAddress).toBeGreaterThanOrEqual(50);
    expect(config).not.toHaveProperty('tls');
  });

  test('parseConfig() takes tokens of one issuer, and names what cannot be', async () => {
    const whole = 'hostname = "a.example"\n[[listener]]\nprotocol = "smtp"\n[oauth]\n';
    const good = 'issuer = "https://login.example/realms/a"\naudience = "mail"\n';
    expect((await parseConfig(whole + good, file)).oauth).toEqual({
      issuer: 'https://login.example/realms/a',
      audience: 'mail',
      scopes: [],
      claim: 'email',
    });
    expect(await problemsOf(whole + good.replace('https', 'http'))).toEqual([
      expect.stringMatching(/^5 oauth\.issuer: .*https/),
    ]);
    expect(await problemsOf(whole + good.replace(/audience.*\n/, ''))).toEqual([
      expect.stringMatching(/^\d+ oauth\.audience: is missing.*"aud"/s),
    ]);
    const introspection =
      '[oauth.introspection]\nurl = "https://a"\nclientId = "x"\nclientSecretFile = "none"';
    expect(await problemsOf(whole + good + introspection)).toEqual([
      expect.stringMatching(/^10 oauth\.introspection\.clientSecretFile: there is no file/),
    ]);
  });

  test('parseConfig() reads every key that a file may hold', async () => {
    const config = await parseConfig(
      `
      hostname = "mx.example.com"
      dataDir = "state"
      resolver = ["127.0.0.1:5300", "::1", "[::1]:5301"]
      [[listener]]
      protocol = "smtp"
      address = "127.0.0.1"
      port = 2025
      allowPlaintextAuth = false
      bareNewline = "normalize"
      [[listener]]
      protocol = "pop3"
      address = "127.0.0.1"
      port = 0
      allowPlaintextAuth = true
      [[domain]]
      name = "Bücher.example"
      postmaster = "bob@example.com"
      dkim = { selector = "posthorn", key = "dkim.pem" }
      [relay]
      trustedNetworks = ["127.0.0.0/8", "::1"]
      [delivery]
      relayHost = "[::1]:2525"
      port = 2526
      allowPrivateAddresses = true
      permanentFailures = "never"
      retryMinutes = [1, 90]
      lifetimeHours = 72
      delayWarningHours = 0
      doubtMinutes = 0
      [[source]]
      address = "2001:DB8:0::1"
      publicAddress = "2001:DB8::2"
      ehloName = "Out.example.com"
      senders = ["News@Example.com", "Bücher.example"]
      [[source]]
      address = "::ffff:192.0.2.2"
      [limits]
      messageBytes = 1_000_000
      idleSeconds = 5
      [dossier]
      enabled = false
      [reports]
      tls = false
      organization = "Bücher & Söhne"
      contact = "TLS@Bücher.example"
      [arc]
      seal = true
      trustedSealers = ["Lists.example.org", "Bücher.example"]
      `,
      file,
    );
    expect(config).toMatchObject({
      dataDir: join(directory, 'state'),
      resolver: [
        { address: '127.0.0.1', port: 5300 },
        { address: '::1', port: 53 },
        { address: '::1', port: 5301 },
      ],
      sources: [
        {
          address: '2001:db8::1',
          publicAddress: '2001:db8::2',
          ehloName: 'out.example.com',
          senders: ['news@example.com', 'xn--bcher-kva.example'],
        },
        { address: '192.0.2.2', senders: [] },
      ],
      listeners: [{ port: 2025, bareNewline: 'normalize' }, { allowPlaintextAuth: true }],
      domains: [
        {
          name: 'xn--bcher-kva.example',
          postmaster: 'bob@example.com',
          dkim: [{ selector: 'posthorn', key: join(directory, 'dkim.pem') }],
        },
      ],
      relay: { trustedNetworks: ['127.0.0.0/8', '::1/128'] },
      transports: [
        { domains: ['*'], way: { protocol: 'smtp', at: { host: '::1', port: 2525 }, tls: 'opportunistic' } },
      ],
      delivery: {
        port: 2526,
        allowPrivateAddresses: true,
        permanentFailures: 'never',
        retryMinutes: [1, 90],
        lifetimeHours: 72,
        delayWarningHours: 0,
        doubtMinutes: 0,
      },
      limits: { messageBytes: 1_000_000, idleMs: 5000 },
      dossier: { enabled: false },
      arc: { seal: true, trustedSealers: ['lists.example.org', 'xn--bcher-kva.example'] },
      reports: {
        tls: false,
        dmarc: false,
        dmarcExcept: [],
        abuse: false,
        organization: 'Bücher & Söhne',
        contact: 'tls@xn--bcher-kva.example',
        read: true,
        mailboxes: [],
        days: 180,
      },
    });
  });

  test('duty-1: parseConfig() writes a postmaster as the accounts are compared by', async () => {
    const domain = '[[domain]]\nname = "bücher.example"\npostmaster = "Bob@Bücher.example"';
    const { domains } = await parseConfig(`hostname = "mx.example.com"\n${domain}`, file);
    expect(domains[0]?.postmaster).toBe('bob@xn--bcher-kva.example');
  });

  test('parseConfig() leaves it to trusted networks in whose name they send', async () => {
    const source = '[[source]]\naddress = "192.0.2.1"\nsenders = ["elsewhere.example"]';
    const toml = `hostname = "mx.example.com"\n${source}\n[relay]\ntrustedNetworks = ["10.0.0.0/8"]`;
    expect(await problemsOf(toml)).toEqual([]);
  });

  test('parseConfig() gives a frozen value', async () => {
    const config = await parseConfig('hostname = "mx.example.com"\n[[domain]]\nname = "example.com"', file);
    expect(
      Object.isFrozen(config) && Object.isFrozen(config.limits) && Object.isFrozen(config.domains[0]),
    ).toBe(true);
  });

  test('parseConfig() normalizes bare newlines on both kinds of submission, and nowhere else', async () => {
    const { tls, listeners } = await parseConfig(
      `
      hostname = "mx.example.com"
      tls = { cert = "${testdata}/self-signed.crt", key = "${testdata}/self-signed.key" }
      listener = [{ protocol = "smtp" }, { protocol = "submission" }, { protocol = "submissions" }]
      `,
      file,
    );
    expect(tls).toBeDefined();
    expect(listeners.map(({ bareNewline }) => bareNewline)).toEqual(['reject', 'normalize', 'normalize']);
  });

  test('parseConfig() without file checks lets a key be made that the file names already', async () => {
    const toml = `${base}[[domain]]\nname="a.example"\ndkim={selector="a",key="later.pem"}`;
    const config = await parseConfig(toml, file, { checkFiles: false });
    expect(config.domains[0]?.dkim?.[0]?.key).toBe(join(directory, 'later.pem'));
  });
});

describe('loadConfig()', () => {
  test('loadConfig() says which file it could not read', async () => {
    await expect(loadConfig(join(directory, 'absent.toml'))).rejects.toThrow(/absent\.toml: cannot be read/);
  });

  test('loadConfig() does not read a file that is too long to be a configuration', async () => {
    writeFileSync(file, '[[a]]\n'.repeat(100_000));
    await expect(loadConfig(file)).rejects.toThrow(/has 600000 characters, of at most 524288/);
    rmSync(file);
  });
});
