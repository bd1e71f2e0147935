import { expect, test } from 'vitest';
import { configPlace } from '../testing/config-place.ts';

const { problemsOf } = configPlace();
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
  ['a top-level key below a table', `${base}[relay]\nresolver = []`, /^3 relay\.resolver: .*top of the file/],
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
  ['no wait between attempts', `${base}[delivery]\nretryMinutes = []`, /^3 delivery\.retryMinutes: .*empty/],
  ['a wait of none', `${base}[delivery]\nretryMinutes = [5, 0]`, /^3 delivery\.retryMinutes\[2\]: 0 is not/],
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
