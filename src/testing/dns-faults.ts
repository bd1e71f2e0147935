/**
 * The ways in which a domain's DNS goes wrong, one by one: each is planted into a zone in which all is right, and has to be
 * found by its name, with what follows from it and nothing else. The table that docs/DOCTOR.md tells of.
 */

import { reverseName } from '../dns/reverse.ts';
import type { NameRecords } from '../dns/zone-data.ts';
import type { FindingId } from '../doctor/catalogue.ts';
import type { DnsModel, DnsPlaces, Records } from './dns-stage.ts';

/** What the faults are planted into: a right model, of this server. */
export interface Planting extends DnsModel {
  hostname: string;
  places: DnsPlaces;
  /** An IPv4 address that the server has, and an IPv6 one, if there is any. */
  four: string;
  six?: string;
  /** Of an RSA key. */
  selector: string;
  /** SHA-256 of the keys of its certificates, hexadecimal. */
  tlsKeys: readonly string[];
}

export interface Fault {
  id: FindingId;
  /** In words; with the id, unlike any other. */
  what: string;
  plant(model: Planting): void;
  /** What follows from it. */
  also?: readonly FindingId[];
  /** Only where the server has an IPv6 address. */
  needsIpv6?: true;
  /** A few words of what has to be said. */
  says?: RegExp;
}

/** Puts `changes` in the place of what is at a name; undefined takes a type away. */
function edit(
  records: Records,
  name: string,
  changes: { [Type in keyof NameRecords]: NameRecords[Type] | undefined },
) {
  const { ...after } = { ...records[name], ...changes };
  for (const [type, value] of Object.entries(changes))
    if (value === undefined) delete after[type as keyof NameRecords];
  // What is undefined has just been taken out.
  records[name] = after as NameRecords;
}

const textAt = ({ zone }: Planting, name: string): string => zone[name]?.TXT?.[0] ?? '';

/** Replaces the SPF record of the domain. */
const spf = (text: string | readonly string[]) => (model: Planting) =>
  edit(model.zone, model.domain, { TXT: [text].flat() });

const keyName = ({ selector, domain }: Planting): string => `${selector}._domainkey.${domain}`;

const dkim = (change: (text: string) => string) => (model: Planting) =>
  edit(model.zone, keyName(model), { TXT: [change(textAt(model, keyName(model)))] });

/** Moves what is at a name to another. */
function move({ zone }: Planting, from: string, to: string) {
  zone[to] = zone[from] ?? {};
  delete zone[from];
}

const dmarc = (text: string | readonly string[]) => (model: Planting) =>
  edit(model.zone, `_dmarc.${model.domain}`, { TXT: [text].flat() });

const mx =
  (...hosts: readonly (readonly [number, string])[]) =>
  (model: Planting) =>
    edit(model.zone, model.domain, { MX: hosts });

const zoneFaults: readonly Fault[] = [
  {
    id: 'zone-not-found',
    what: 'the domain is not registered any more',
    plant(model) {
      model.exists = false;
    },
    also: ['address-missing', 'ehlo-no-address', 'ptr-not-confirmed', 'spf-missing'],
  },
  {
    id: 'zone-one-server',
    what: 'there is one name server only',
    plant(model) {
      model.delegated = [`ns1.${model.domain}`];
      edit(model.zone, model.domain, { NS: [`ns1.${model.domain}`] });
    },
  },
  {
    id: 'zone-lame-server',
    what: 'a name server does not serve the zone',
    plant(model) {
      model.states.second = 'refuses';
    },
    says: /ns2.*REFUSED/,
  },
  {
    id: 'zone-silent-server',
    what: 'nobody listens at the address of a name server',
    plant(model) {
      edit(model.zone, `ns2.${model.domain}`, { A: [model.places.nobody] });
    },
    says: /ns2/,
  },
  {
    id: 'zone-server-no-address',
    what: 'a name server has no address',
    plant(model) {
      edit(model.zone, model.domain, { NS: [`ns1.${model.domain}`, `ns3.${model.domain}`] });
      model.delegated = [`ns1.${model.domain}`, `ns3.${model.domain}`];
    },
    says: /ns3/,
  },
  {
    id: 'zone-delegation-differs',
    what: 'the registrar names other servers than the zone',
    plant(model) {
      model.delegated = [`ns1.${model.domain}`];
    },
  },
  {
    id: 'zone-serials-differ',
    what: 'a name server has an old version of the zone',
    plant(model) {
      model.serials.second = 2025;
    },
    says: /2025/,
  },
  {
    id: 'zone-servers-differ',
    what: 'a name server has another DMARC record',
    plant(model) {
      model.second[`_dmarc.${model.domain}`] = { TXT: ['v=DMARC1; p=none'] };
    },
    says: /_dmarc/,
  },
  {
    id: 'zone-apex-alias',
    what: 'the domain is an alias of a web site',
    plant(model) {
      model.apexAlias = 'shop.example';
    },
    says: /shop\.example/,
  },
  {
    id: 'zone-wildcard',
    what: 'a wildcard has a text',
    plant(model) {
      edit(model.zone, `*.${model.domain}`, { TXT: ['v=spf1 -all'] });
    },
  },
  {
    id: 'dnssec-bogus',
    what: 'the signatures are wrong',
    plant(model) {
      model.isSigned = true;
      model.resolver.isBogus = true;
    },
    also: ['ptr-unknown', 'ehlo-unknown', 'spf-unknown', 'dane-missing'],
  },
  {
    id: 'ttl-long',
    what: 'records are kept for a week',
    plant(model) {
      model.ttl = 7 * 86_400;
    },
  },
  {
    id: 'resolver-rewrites',
    what: 'the resolver invents addresses',
    plant(model) {
      model.resolver.inventedAddress = '198.51.100.80';
    },
    also: ['blocklist-deaf'],
  },
  {
    id: 'resolver-outdated',
    what: 'the resolver still has the old MX',
    plant(model) {
      model.resolver.stale[model.domain] = { ...model.zone[model.domain], MX: [[10, 'old.example']] };
    },
    also: ['spf-misses-address'],
    says: /MX of .*old\.example/,
  },
];

const hostFaults: readonly Fault[] = [
  {
    id: 'address-missing',
    what: 'the server has no address in DNS',
    plant(model) {
      edit(model.zone, model.hostname, { A: undefined });
    },
    also: ['ehlo-no-address', 'ptr-not-confirmed', 'spf-misses-address'],
  },
  {
    id: 'address-other',
    what: 'the name of the server leads to another machine, too',
    plant(model) {
      edit(model.zone, model.hostname, { A: [model.four, model.places.nobody] });
    },
    also: ['door-closed'],
  },
  {
    id: 'mx-missing',
    what: 'there is no MX',
    plant: (model) => edit(model.zone, model.domain, { MX: undefined }),
    also: ['spf-misses-address'],
  },
  { id: 'mx-null', what: 'there is a null MX', plant: mx([0, '']), also: ['spf-misses-address'] },
  {
    id: 'mx-alias',
    what: 'the MX points to an alias',
    plant(model) {
      edit(model.zone, `mail.${model.domain}`, { CNAME: model.hostname });
      mx([10, `mail.${model.domain}`])(model);
    },
  },
  {
    id: 'mx-address-literal',
    what: 'the MX holds an address',
    plant: (model) => mx([10, model.four])(model),
    also: ['spf-misses-address'],
  },
  {
    id: 'mx-doubled',
    what: 'the final dot of the MX was left out',
    plant: (model) => mx([10, `${model.hostname}.${model.domain}`])(model),
    also: ['spf-misses-address'],
  },
  {
    id: 'mx-nowhere',
    what: 'the MX is mistyped',
    plant: (model) => mx([10, `mxx.${model.domain}`])(model),
    also: ['spf-misses-address'],
    says: /mxx/,
  },
  {
    id: 'mx-other-host',
    what: 'the MX is that of the provider before',
    plant(model) {
      model.world['mx.elsewhere.example'] = { A: ['198.51.100.25'] };
      mx([10, 'mx.elsewhere.example'])(model);
    },
    also: ['spf-misses-address'],
  },
  {
    id: 'mx-more-hosts',
    what: 'the MX of the provider before is still there',
    plant(model) {
      model.world['mx.elsewhere.example'] = { A: ['198.51.100.25'] };
      mx([10, model.hostname], [20, 'mx.elsewhere.example'])(model);
    },
    also: ['mta-sts-mx-differs'],
  },
  {
    id: 'ptr-missing',
    what: 'the IPv4 address has no name',
    plant(model) {
      delete model.world[reverseName(model.four)];
    },
  },
  {
    id: 'ptr-missing-ipv6',
    what: 'the IPv6 address has no name',
    plant(model) {
      if (model.six !== undefined) delete model.world[reverseName(model.six)];
    },
    needsIpv6: true,
    says: /Gmail/,
  },
  {
    id: 'ptr-not-confirmed',
    what: 'the name of the address is another machine’s',
    plant(model) {
      model.world['host.provider.example'] = { A: ['198.51.100.7'] };
      model.world[reverseName(model.four)] = { PTR: ['host.provider.example'] };
    },
  },
  {
    id: 'ptr-other-name',
    what: 'the address still has the name that the provider gave it',
    plant(model) {
      model.world['host.provider.example'] = { A: [model.four] };
      model.world[reverseName(model.four)] = { PTR: ['host.provider.example'] };
    },
    says: /host\.provider\.example/,
  },
  {
    id: 'blocklist-listed',
    what: 'a block list has the address',
    plant(model) {
      model.world[`${reverseName(model.four).replace('.in-addr.arpa', '')}.bl.example`] = {
        A: ['127.0.0.2'],
      };
    },
    says: /bl\.example/,
  },
  {
    id: 'blocklist-deaf',
    what: 'a block list does not answer us',
    plant(model) {
      model.world['2.0.0.127.bl.example'] = { A: ['127.255.255.254'] };
    },
  },
];

const spfFaults: readonly Fault[] = [
  { id: 'spf-missing', what: 'there is no SPF record', plant: spf([]) },
  {
    id: 'spf-misplaced',
    what: 'the SPF record stands at the domain in the domain',
    plant(model) {
      edit(model.zone, `${model.domain}.${model.domain}`, { TXT: [textAt(model, model.domain)] });
      spf([])(model);
    },
  },
  { id: 'spf-mistyped', what: 'the version of SPF is wrong', plant: spf('v=spf 1 mx ~all') },
  {
    id: 'spf-mistyped',
    what: 'the SPF record has quotes in it',
    plant: spf('"v=spf1 mx ~all"'),
    says: /quotes/,
  },
  {
    id: 'spf-two-records',
    what: 'there are two SPF records',
    plant: spf(['v=spf1 mx ~all', 'v=spf1 include:news.example ~all']),
    says: /two|2/,
  },
  {
    id: 'spf-syntax',
    what: 'a term of SPF is mistyped',
    plant: spf('v=spf1 mx ipv4:192.0.2.1 ~all'),
    says: /ipv4/,
  },
  { id: 'spf-syntax', what: 'an address in SPF is cut off', plant: spf('v=spf1 mx ip4:192.0.2 ~all') },
  {
    id: 'spf-misses-address',
    what: 'SPF names the old server only',
    plant: spf('v=spf1 ip4:198.51.100.7 -all'),
  },
  { id: 'spf-permits-all', what: 'SPF permits the world', plant: spf('v=spf1 mx +all') },
  { id: 'spf-open-end', what: 'SPF has no end', plant: spf('v=spf1 mx') },
  { id: 'spf-open-end', what: 'SPF ends neutrally', plant: spf('v=spf1 mx ?all') },
  {
    id: 'spf-after-all',
    what: 'SPF goes on behind its end',
    plant: spf('v=spf1 mx ~all include:news.example'),
  },
  {
    id: 'spf-too-many-lookups',
    what: 'SPF includes too much',
    plant(model) {
      for (let index = 0; index < 10; index += 1)
        model.world[`_spf${index}.big.example`] = { TXT: ['v=spf1 ip4:198.51.100.0/24 -all'] };
      const all = Array.from({ length: 10 }, (_, index) => `include:_spf${index}.big.example`).join(' ');
      model.world['_spf.big.example'] = { TXT: [`v=spf1 ${all} -all`] };
      spf('v=spf1 mx include:_spf.big.example ~all')(model);
    },
    says: /exceeded by include:_spf\.big\.example/,
  },
  {
    id: 'spf-void-lookups',
    what: 'SPF names hosts that are gone',
    plant: spf('v=spf1 mx a:gone1.example a:gone2.example a:gone3.example ~all'),
    says: /gone1/,
  },
  {
    id: 'spf-dead-include',
    what: 'SPF includes a domain without SPF',
    plant: spf('v=spf1 mx include:newz.example ~all'),
    says: /newz/,
  },
  { id: 'spf-ptr', what: 'SPF uses ptr', plant: spf('v=spf1 mx ptr ~all') },
];

const dkimFaults: readonly Fault[] = [
  {
    id: 'dkim-missing',
    what: 'the DKIM key is not published',
    plant(model) {
      delete model.zone[keyName(model)];
    },
  },
  {
    id: 'dkim-misplaced',
    what: 'the DKIM key stands at a name with the domain twice',
    plant: (model) => move(model, keyName(model), `${keyName(model)}.${model.domain}`),
    says: /adds the domain/,
  },
  {
    id: 'dkim-misplaced',
    what: 'the DKIM key stands at a name without _domainkey',
    plant: (model) => move(model, keyName(model), `${model.selector}.${model.domain}`),
  },
  {
    id: 'dkim-other-selector',
    what: 'the DKIM key stands under another selector',
    plant: (model) => move(model, keyName(model), `default._domainkey.${model.domain}`),
    says: /default\._domainkey/,
  },
  {
    id: 'dkim-two-records',
    what: 'the old DKIM key is still there',
    plant(model) {
      edit(model.zone, keyName(model), { TXT: [textAt(model, keyName(model)), 'v=DKIM1; k=rsa; p='] });
    },
  },
  { id: 'dkim-syntax', what: 'the DKIM record has no p=', plant: dkim((text) => text.replace('p=', '')) },
  {
    id: 'dkim-syntax',
    what: 'the DKIM record has another version',
    plant: dkim((text) => text.replace('DKIM1', 'DKIM2')),
  },
  {
    id: 'dkim-quotes',
    what: 'quotes stand within the DKIM key',
    plant: dkim((text) => `${text.slice(0, 200)}" "${text.slice(200)}`),
    says: /after/,
  },
  {
    id: 'dkim-truncated',
    what: 'the DKIM record is cut at 255 characters',
    plant: dkim((text) => text.slice(0, 255)),
    says: /255/,
  },
  {
    id: 'dkim-mistyped',
    what: 'the DKIM record misses 4 characters',
    plant: dkim((text) => text.slice(0, 100) + text.slice(104)),
    says: /misses 4 characters after/,
  },
  {
    id: 'dkim-mistyped',
    what: 'a character of the DKIM record is wrong',
    plant: dkim((text) => `${text.slice(0, 150)}${text[150] === 'A' ? 'B' : 'A'}${text.slice(151)}`),
    says: /instead of/,
  },
  {
    id: 'dkim-mistyped',
    what: 'the DKIM record has characters too many',
    plant: dkim((text) => `${text.slice(0, 120)}xyz${text.slice(120)}`),
    says: /too many/,
  },
  {
    id: 'dkim-other-key',
    what: 'another DKIM key is published',
    plant: dkim((text) =>
      text.replace(/p=.*/, (key) => `p=${[...key.slice(2)].reverse().join('').replace(/=/g, '')}`),
    ),
  },
  { id: 'dkim-revoked', what: 'the DKIM key is revoked', plant: dkim((text) => text.replace(/p=.*/, 'p=')) },
  {
    id: 'dkim-not-for-mail',
    what: 'the DKIM record names another kind of key',
    plant: dkim((text) => text.replace('k=rsa', 'k=ed25519')),
  },
  {
    id: 'dkim-testing',
    what: 'the DKIM key is being tested',
    plant: dkim((text) => text.replace('k=rsa', 'k=rsa; t=y')),
  },
];

const policyFaults: readonly Fault[] = [
  {
    id: 'dmarc-missing',
    what: 'there is no DMARC record',
    plant(model) {
      delete model.zone[`_dmarc.${model.domain}`];
    },
  },
  {
    id: 'dmarc-misplaced',
    what: 'the DMARC record stands at a name with the domain twice',
    plant: (model) => move(model, `_dmarc.${model.domain}`, `_dmarc.${model.domain}.${model.domain}`),
    says: /adds the domain/,
  },
  {
    id: 'dmarc-misplaced',
    what: 'the DMARC record stands at the domain itself',
    plant(model) {
      const text = textAt(model, `_dmarc.${model.domain}`);
      edit(model.zone, model.domain, { TXT: [textAt(model, model.domain), text] });
      delete model.zone[`_dmarc.${model.domain}`];
    },
  },
  {
    id: 'dmarc-two-records',
    what: 'there are two DMARC records',
    plant: dmarc(['v=DMARC1; p=none', 'v=DMARC1; p=reject']),
  },
  {
    id: 'dmarc-syntax',
    what: 'a DMARC policy is mistyped',
    plant: dmarc('v=DMARC1; p=quarantaine'),
    says: /quarantaine/,
  },
  { id: 'dmarc-syntax', what: 'the version of DMARC is mistyped', plant: dmarc('v=DMARC; p=none') },
  {
    id: 'dmarc-syntax',
    what: 'mailto: is missing in DMARC',
    plant: (model) => dmarc(`v=DMARC1; p=quarantine; rua=postmaster@${model.domain}`)(model),
    says: /mailto/,
  },
  { id: 'dmarc-no-reports', what: 'DMARC names nobody to report to', plant: dmarc('v=DMARC1; p=quarantine') },
  {
    id: 'dmarc-policy-none',
    what: 'DMARC asks for nothing yet',
    plant: (model) => dmarc(`v=DMARC1; p=none; rua=mailto:postmaster@${model.domain}`)(model),
  },
  {
    id: 'dmarc-rua-unauthorized',
    what: 'DMARC reports go to a domain that has not agreed',
    plant: dmarc('v=DMARC1; p=quarantine; rua=mailto:me@reports.example'),
    says: /reports\.example/,
  },
  {
    id: 'dmarc-pct',
    what: 'DMARC has pct=',
    plant: (model) => dmarc(`v=DMARC1; p=quarantine; pct=50; rua=mailto:postmaster@${model.domain}`)(model),
  },
  {
    id: 'mailbox-missing',
    what: 'reports go to an address that nobody has',
    plant: (model) => dmarc(`v=DMARC1; p=quarantine; rua=mailto:dmrac@${model.domain}`)(model),
    says: /dmrac/,
  },
  {
    id: 'mta-sts-missing',
    what: 'the MTA-STS policy is not announced',
    plant(model) {
      delete model.zone[`_mta-sts.${model.domain}`];
    },
  },
  {
    id: 'mta-sts-syntax',
    what: 'the id of MTA-STS has a hyphen',
    plant: (model) => edit(model.zone, `_mta-sts.${model.domain}`, { TXT: ['v=STSv1; id=2026-01-01'] }),
  },
  {
    id: 'mta-sts-no-policy',
    what: 'the host of the MTA-STS policy is gone',
    plant(model) {
      delete model.zone[`mta-sts.${model.domain}`];
    },
  },
  {
    id: 'mta-sts-id-unchanged',
    what: 'MTA-STS announces the policy before',
    plant: (model) => edit(model.zone, `_mta-sts.${model.domain}`, { TXT: ['v=STSv1; id=20250101'] }),
    says: /20250101/,
  },
  {
    id: 'tls-rpt-missing',
    what: 'nobody is to get TLS reports',
    plant(model) {
      delete model.zone[`_smtp._tls.${model.domain}`];
    },
  },
  {
    id: 'tls-rpt-syntax',
    what: 'the record of TLS reports is mistyped',
    plant: (model) =>
      edit(model.zone, `_smtp._tls.${model.domain}`, { TXT: [`v=TLSRPTv1; rua=postmaster@${model.domain}`] }),
  },
];

const tlsa = (model: Planting): string => `_25._tcp.${model.hostname}`;

const otherFaults: readonly Fault[] = [
  {
    id: 'dane-unsigned',
    what: 'there is a TLSA record in a zone that is not signed',
    plant(model) {
      edit(model.zone, tlsa(model), { TLSA: model.tlsKeys.map((key) => [3, 1, 1, key] as const) });
    },
  },
  {
    id: 'dane-mismatch',
    what: 'the TLSA record is that of the certificate before',
    plant(model) {
      model.isSigned = true;
      edit(model.zone, tlsa(model), { TLSA: [[3, 1, 1, '5a'.repeat(32)]] });
    },
  },
  {
    id: 'dane-parameters',
    what: 'the TLSA record is one for web sites',
    plant(model) {
      model.isSigned = true;
      edit(model.zone, tlsa(model), { TLSA: [[1, 1, 1, model.tlsKeys[0] ?? '']] });
    },
  },
  {
    id: 'dane-missing',
    what: 'the zone is signed, and DANE is not used',
    plant(model) {
      model.isSigned = true;
    },
  },
  {
    id: 'srv-wrong',
    what: 'an SRV record leads to the server before',
    plant: (model) =>
      edit(model.zone, `_submissions._tcp.${model.domain}`, { SRV: [[0, 1, 465, 'old.example']] }),
  },
  {
    id: 'srv-missing',
    what: 'an SRV record is missing',
    plant(model) {
      delete model.zone[`_submissions._tcp.${model.domain}`];
    },
  },
  {
    id: 'autoconfig-wrong',
    what: 'autoconfig leads to another machine',
    plant(model) {
      model.zone[`autoconfig.${model.domain}`] = { A: [model.places.nobody] };
    },
  },
];

export const dnsFaults: readonly Fault[] = [
  ...zoneFaults,
  ...hostFaults,
  ...spfFaults,
  ...dkimFaults,
  ...policyFaults,
  ...otherFaults,
];
