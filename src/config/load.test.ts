import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { findConfigFile } from './find.ts';
import { loadConfig, parseConfig } from './load.ts';
import { ConfigError } from './problem.ts';

const directory = mkdtempSync(join(tmpdir(), 'posthorn-config-'));
afterAll(() => rmSync(directory, { recursive: true }));
const testdata = join(import.meta.dirname, 'testdata');
const file = join(directory, 'posthorn.toml');

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
writeFileSync(join(directory, 'dkim.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
writeFileSync(join(directory, 'garbage.pem'), 'no PEM');

/** What is wrong with a text: `line key: what | remedy`, one per problem. */
async function problemsOf(toml: string): Promise<string[]> {
  try {
    await parseConfig(toml, file);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ line, key, what, remedy }) => `${line} ${key}: ${what} | ${remedy}`);
  }
}

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
  test.each([
    ['a missing host name', 'dataDir = "x"', /^1 hostname: is missing/],
    ['a number where text belongs', 'hostname = 5', /^1 hostname: 5 is not a host name/],
    ['submission without TLS', `${base}[[listener]]\nprotocol = "submission"`, /^3 .*needs TLS.*\[tls\]/s],
    ['pop3s without TLS', `${base}[[listener]]\nprotocol = "pop3s"`, /^3 .*needs TLS/],
    ['pop3 without TLS', `${base}[[listener]]\nprotocol = "pop3"`, /^3 .*needs TLS.*allowPlaintextAuth/s],
    [
      'clear-text passwords off loopback',
      `${base}[[listener]]\nprotocol = "pop3"\naddress = "192.0.2.1"\nallowPlaintextAuth = true`,
      /^5 listener\[1\]\.allowPlaintextAuth: passwords would cross the network/,
    ],
    [
      'clear-text passwords on all addresses',
      `${base}[[listener]]\nprotocol = "pop3"\nallowPlaintextAuth = true`,
      /^4 listener\[1\]\.allowPlaintextAuth/,
    ],
    [
      'a listener that the whole Internet may speak for',
      `${base}[[listener]]\nprotocol = "smtp"\nproxyProtocol = ["0.0.0.0/0"]`,
      /^4 listener\[1\]\.proxyProtocol\[1\]: "0\.0\.0\.0\/0" is not a network smaller than the Internet.*\| .*address of the proxy/,
    ],
    [
      'a listener behind no proxy',
      `${base}[[listener]]\nprotocol = "smtp"\nproxyProtocol = []`,
      /^4 listener\[1\]\.proxyProtocol: names no proxy/,
    ],
    [
      'two listeners on one port',
      `${base}[[listener]]\nprotocol = "smtp"\n[[listener]]\nprotocol = "smtp"\nport = 25`,
      /^4 listener\[2\]: two listeners want :: port 25/,
    ],
    [
      'a domain twice, once in other letters',
      `${base}[[domain]]\nname = "bücher.example"\n[[domain]]\nname = "XN--BCHER-KVA.example"`,
      /^5 domain\[2\]\.name: the domain xn--bcher-kva\.example is here twice/,
    ],
    [
      'a source twice',
      `${base}[[source]]\naddress = "2001:db8::1"\n[[source]]\naddress = "2001:DB8:0::1"`,
      /^5 source\[2\]\.address: the source 2001:db8::1 is here twice/,
    ],
    [
      'a source of all addresses',
      `${base}[[source]]\naddress = "::"`,
      /^3 source\[1\].address: "::" is not an IP/,
    ],
    [
      'a sender that is neither address nor domain',
      `${base}[[source]]\naddress = "192.0.2.1"\nsenders = ["bob@"]`,
      /^4 source\[1\]\.senders\[1\]: "bob@" is not a mail address or a domain/,
    ],
    [
      'a source for nobody',
      `${base}[[source]]\naddress = "192.0.2.1"\nsenders = []`,
      /^4 source\[1\]\.senders: names no sender \| .*remove this line: then it is for everybody/,
    ],
    [
      'a source for a domain that is not ours',
      `${base}[[domain]]\nname = "a.example"\n[[source]]\naddress = "192.0.2.1"\nsenders = ["bob@a.example", "x"]`,
      /^6 source\[1\]\.senders\[2\]: x is no \[\[domain\]\] of ours.* \| Known are a\.example\.$/,
    ],
    [
      'a source that receivers see in the other family',
      `${base}[[source]]\naddress = "192.0.2.1"\npublicAddress = "2001:db8::1"`,
      /^4 source\[1\]\.publicAddress: 2001:db8::1 is not what receivers see of 192\.0\.2\.1/,
    ],
    [
      'one source in two spellings',
      `${base}[[source]]\naddress = "192.0.2.1"\n[[source]]\naddress = "::FFFF:192.0.2.1"`,
      /^5 source\[2\]\.address: the source 192\.0\.2\.1 is here twice/,
    ],
    [
      'a postmaster without @',
      `${base}[[domain]]\nname = "a.example"\npostmaster = "bob"`,
      /^4 .*"bob" is not a mail address/,
    ],
    [
      'a domain that stands for one that is not ours',
      `${base}[[domain]]\nname = "a.example"\naliasOf = "b.example"`,
      /^4 domain\[1\]\.aliasOf: b\.example is no \[\[domain\]\] of ours \| Add \[\[domain\]\] name = "b\.example"/,
    ],
    [
      'a domain that stands for itself',
      `${base}[[domain]]\nname = "a.example"\naliasOf = "A.example"`,
      /^4 domain\[1\]\.aliasOf: a\.example would stand for itself/,
    ],
    [
      'a domain that stands for one that stands for a third',
      `${base}${['a.example"\naliasOf = "b.example', 'b.example"\naliasOf = "c.example', 'c.example'].map((each) => `[[domain]]\nname = "${each}"\n`).join('')}`,
      /^4 domain\[1\]\.aliasOf: b\.example stands for another .* \| Name that one: aliasOf = "c\.example"/,
    ],
    [
      'a catch-all of a domain that has everything from another',
      `${base}[[domain]]\nname = "b.example"\n[[domain]]\nname = "a.example"\naliasOf = "b.example"\ncatchAll = "x@b.example"`,
      /^7 domain\[2\]\.catchAll: a\.example has everything from b\.example/,
    ],
    [
      'a separator of tags that is none',
      `${base}[[domain]]\nname = "a.example"\ntagSeparator = "@"`,
      /^4 domain\[1\]\.tagSeparator: "@" is not a separator of tags \| Give one of/,
    ],
    ['a bad network', `${base}[relay]\ntrustedNetworks = ["10.0.0.0/33"]`, /^3 relay\.trustedNetworks\[1\]/],
    [
      'a bare list of networks',
      `${base}[relay]\ntrustedNetworks = "10.0.0.0/8"`,
      /^3 .*is not a list \| Write it in brackets/,
    ],
    [
      'a misplaced key',
      `${base}[tls]\nallowPrivateAddresses = true\ncert="a"\nkey="b"`,
      /It belongs in \[delivery\]/,
    ],
    [
      'a top-level key below a table',
      `${base}[relay]\nresolver = []`,
      /^3 relay\.resolver: .*top of the file/,
    ],
    [
      'an unknown key that is like none',
      `${base}xyzzy = 1`,
      /^2 xyzzy: there is no such key \| Remove it\. Known here: hostname/,
    ],
    [
      'two keys of one selector',
      `${base}[[domain]]\nname="a.example"\ndkim = [{ selector = "a", key = "dkim.pem" }, { selector = "a", key = "dkim.pem" }]`,
      /^4 domain\[1\]\.dkim\[2\]\.selector: two keys cannot both be found at a \|/,
    ],
    [
      'an empty list of keys',
      `${base}[[domain]]\nname="a.example"\ndkim = []`,
      /^4 domain\[1\]\.dkim: names no key \|/,
    ],
    [
      'a bad key in a list',
      `${base}[[domain]]\nname="a.example"\ndkim = [{ selector = "a", key = "dkim.pem" }, { selectr = "b", key = "dkim.pem" }]`,
      /^4 domain\[1\]\.dkim\[2\]\.selector: is missing/,
    ],
    [
      'an unknown key in an inline table',
      `${base}[[domain]]\nname="a.example"\ndkim = { selectr = "a", key = "dkim.pem" }`,
      /^4 .*selector/,
    ],
    [
      '[listener] for [[listener]]',
      `${base}[listener]\nprotocol = "smtp"`,
      /^2 listener: a table is not a list \| Write it as \[\[listener\]\]/,
    ],
    [
      'a site that is none',
      `${base}[[site]]\nconnections = 3`,
      /^2 site\[1\]: this table does not say which site .* \| Add mx = \["google\.com"\]/,
    ],
    [
      'a site twice',
      `${base}[[site]]\nmx = ["Google.com"]\n[[site]]\nconnections = 1\nmx = ["google.com"]`,
      /^6 site\[2\]\.mx: google\.com is in two \[\[site\]\] tables/,
    ],
    [
      'a site without places',
      `${base}[[site]]\nmx = ["google.com"]\nconnections = 0`,
      /^4 site\[1\]\.connections: 0 is not a number of connections from 1 to 1000/,
    ],
    [
      'a relay host with a bad port',
      `${base}[delivery]\nrelayHost = "localhost:99999"`,
      /^3 delivery\.relayHost/,
    ],
    ['a DNS server by name', `${base}resolver = ["dns.example"]`, /^2 resolver\[1\]/],
    ['port 0 for other hosts', `${base}[delivery]\nport = 0`, /^3 delivery\.port: 0 is not a port/],
    [
      'a DKIM key that is none',
      `${base}[[domain]]\nname="a.example"\ndkim={selector="a",key="garbage.pem"}`,
      /^4 .*not a DKIM key/,
    ],
    [
      'an authority file that is none',
      `${base}[delivery]\ncaFile = "garbage.pem"`,
      /^3 .*not a PEM file of certificates/,
    ],
    [
      'reports in the name of a domain without a key',
      `${base}[[domain]]\nname="a.example"\n[reports]\ncontact = "b@a.example"`,
      /^5 reports\.contact: reports from a\.example cannot be signed \| .* dkim key/,
    ],
    [
      'seals without a key',
      `${base}[arc]\nseal = true`,
      /^3 arc\.seal: nothing can be sealed without a key \| .*dkim generate/,
    ],
    [
      'a contact that not everybody can write to',
      `${base}[[domain]]\nname="a.example"\ndkim={selector="a",key="dkim.pem"}\n[reports]\ncontact = "bö@a.example"`,
      /^6 reports\.contact: .* \| Name an address in ASCII/,
    ],
    [
      'an organization of two lines',
      `${base}[reports]\norganization = "a\\nb"`,
      /^3 reports\.organization: .* is not a line of text/,
    ],
    [
      'a failure policy that is none',
      `${base}[delivery]\npermanentFailures = "carefull"`,
      /^3 delivery\.permanentFailures: .* \| Did you mean "careful"\?/,
    ],
    [
      'no wait between attempts',
      `${base}[delivery]\nretryMinutes = []`,
      /^3 delivery\.retryMinutes: .*empty/,
    ],
    [
      'a wait of none',
      `${base}[delivery]\nretryMinutes = [5, 0]`,
      /^3 delivery\.retryMinutes\[2\]: 0 is not/,
    ],
    [
      'a second attempt after the end',
      `${base}[delivery]\nretryMinutes = [60]\nlifetimeHours = 1\ndelayWarningHours = 0`,
      /^3 delivery\.retryMinutes: .*after 60 minutes.*raise lifetimeHours/,
    ],
    [
      'a warning after the end',
      `${base}[delivery]\nlifetimeHours = 4`,
      /^\d delivery\.delayWarningHours: .*after 4 hours.*0 for no warnings/,
    ],
    ['bad TOML', `${base}port = \n`, /^2 : .* \| .*quotes/s],
  ])('parseConfig() refuses %s', async (_, toml, expected) => {
    expect((await problemsOf(toml)).join('\n')).toMatch(expected);
  });

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

  test('parseConfig() tells of a list that is too long, not of each of its entries', async () => {
    const toml = `hostname = "mx.example.org"\nresolver = [${'"",'.repeat(5001)}]`;
    const read = parseConfig(toml, '/posthorn.toml', { checkFiles: false });
    await expect(read).rejects.toThrow(/posthorn\.toml: resolver: has 5001 entries, of at most 5000/);
  });
});

describe('findConfigFile()', () => {
  test('findConfigFile() prefers the flag, then the environment, then the working directory', async () => {
    writeFileSync(file, '');
    const env = { POSTHORN_CONFIG: '/e.toml' };
    expect(await findConfigFile({ flag: 'f.toml', env, cwd: '/d' })).toBe('/d/f.toml');
    expect(await findConfigFile({ flag: undefined, env, cwd: directory })).toBe('/e.toml');
    expect(await findConfigFile({ flag: undefined, env: {}, cwd: directory })).toBe(file);
  });

  test('findConfigFile() names the places it looked at when there is none', async () => {
    const search = findConfigFile({ flag: undefined, env: {}, cwd: '/nonexistent' });
    await expect(search).rejects.toThrow(/\/nonexistent\/posthorn\.toml, \/etc\/posthorn\/posthorn\.toml/);
  });
});
