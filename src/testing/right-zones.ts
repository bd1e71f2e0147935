/**
 * Zones that are right, and not as this server would write them: each is what some provider or careful person has. The doctor has to
 * find no error in them, and nothing to warn of.
 */

import { reverseName } from '../dns/reverse.ts';
import type { RecordFacts } from '../records/wanted-record.ts';
import { edit, textAt } from './dns-faults/edits.ts';
import type { Planting } from './dns-faults/fault.ts';

export interface RightZone {
  /** In words; unlike any other. */
  what: string;
  plant(model: Planting): void;
  /** Where the server is not as the others, too. */
  facts?(facts: RecordFacts): RecordFacts;
  /** Only where the server has an IPv6 address. */
  needsIpv6?: true;
  /** Only where certificates come by ACME. */
  needsCaa?: true;
}

const spf = (text: string) => (model: Planting) => edit(model.zone, model.domain, { TXT: [text] });
const dmarc = (text: string) => (model: Planting) =>
  edit(model.zone, `_dmarc.${model.domain}`, { TXT: [text] });
const keyName = ({ selector, domain }: Planting): string => `${selector}._domainkey.${domain}`;
const dkim = (change: (text: string) => string) => (model: Planting) =>
  edit(model.zone, keyName(model), { TXT: [change(textAt(model, keyName(model)))] });

/** As long as one of 4096 bits: only its text is compared. */
const longKey = `v=DKIM1; k=rsa; p=${'MIICIjANBgkqhkiG9w0BAQEFAAOCAg8A'.padEnd(735, 'kQ7x')}=`;

const addressesOf = ({ four, six }: Planting) => ({
  A: [four],
  ...(six !== undefined && { AAAA: [six] }),
});

export const rightZones: readonly RightZone[] = [
  {
    what: 'SPF permits by the name of the server',
    plant: (model) => spf(`v=spf1 a:${model.hostname} -all`)(model),
  },
  {
    what: 'SPF permits by addresses and networks, in capitals',
    plant: (model) =>
      spf(`V=SPF1 IP4:${model.four}/32 ${model.six === undefined ? '' : `IP6:${model.six}/128`} -ALL`)(model),
  },
  {
    what: 'SPF permits by a record of another name',
    plant(model) {
      model.zone[`_spf.${model.domain}`] = { TXT: [`v=spf1 mx:${model.domain} -all`] };
      spf(`v=spf1 include:_spf.${model.domain} include:news.example ~all`)(model);
    },
  },
  {
    what: 'SPF is that of another name, which ends it',
    plant(model) {
      model.world['_spf.provider.example'] = { TXT: [`v=spf1 mx:${model.domain} -all`] };
      spf('v=spf1 redirect=_spf.provider.example')(model);
    },
  },
  {
    what: 'SPF asks for each address by a macro',
    plant(model) {
      model.world[`${model.four}.permitted.example`] = { A: ['127.0.0.2'] };
      spf('v=spf1 exists:%{i}.permitted.example mx ?exists:%{l}.users.example -all')(model);
    },
  },
  {
    what: 'the domain has other texts, of which one speaks of SPF',
    plant: (model) =>
      edit(model.zone, model.domain, {
        TXT: [
          textAt(model, model.domain),
          'google-site-verification=abc',
          'spf-guard-verification=1',
          'MS=ms1',
        ],
      }),
  },
  {
    what: 'other names say that they send no mail',
    plant(model) {
      model.zone[`www.${model.domain}`] = { A: [model.places.nobody], TXT: ['v=spf1 -all'], MX: [[0, '']] };
      model.zone[`*._domainkey.www.${model.domain}`] = { TXT: ['v=DKIM1; p='] };
    },
  },
  {
    what: 'a DKIM key of 4096 bits, in four pieces',
    plant: dkim(() => longKey),
    facts: (facts) => ({
      ...facts,
      domains: facts.domains.map((domain) => ({
        ...domain,
        dkim: domain.dkim.map((key) => ({ ...key, record: longKey })),
      })),
    }),
  },
  {
    what: 'the DKIM record has spaces, notes, and more tags than it needs',
    plant: dkim(
      (text) =>
        `v=DKIM1;h=sha1:sha256 ; n=our key ;s=email; t=s; k=rsa; p = ${text.slice(text.indexOf('p=') + 2).replace(/.{64}/g, '$& ')};`,
    ),
  },
  { what: 'the DKIM record has no version', plant: dkim((text) => text.replace('v=DKIM1; ', '')) },
  {
    what: 'the DKIM key is an alias of where a provider has it',
    plant(model) {
      model.world['key1.keys.example'] = { TXT: [textAt(model, keyName(model))] };
      model.zone[keyName(model)] = { CNAME: 'key1.keys.example' };
    },
  },
  {
    what: 'keys of before and of others stand beside ours',
    plant(model) {
      model.zone[`old._domainkey.${model.domain}`] = { TXT: ['v=DKIM1; p='] };
      model.zone[`news._domainkey.${model.domain}`] = { CNAME: 'news.example' };
    },
  },
  {
    what: 'DMARC in another order, in capitals, with tags of all kinds',
    plant: (model) =>
      dmarc(
        `V=DMARC1 ;RUA=MAILTO:Postmaster@${model.domain}!10m,https://reports.example/in ; sp=reject;fo=1:d:s; ri=86400; adkim=S;aspf=r;P=Reject;`,
      )(model),
  },
  {
    what: 'DMARC reports go to another domain, which wants them',
    plant(model) {
      model.world[`${model.domain}._report._dmarc.reports.example`] = { TXT: ['v=DMARC1'] };
      dmarc('v=DMARC1; p=quarantine; rua=mailto:me@reports.example')(model);
    },
  },
  {
    what: 'DMARC is an alias of where a provider has it',
    plant(model) {
      model.world['_dmarc.hosted.example'] = { TXT: [textAt(model, `_dmarc.${model.domain}`)] };
      model.zone[`_dmarc.${model.domain}`] = { CNAME: '_dmarc.hosted.example' };
    },
  },
  {
    what: 'MTA-STS by addresses, and announced by an alias',
    plant(model) {
      model.world['sts.hosted.example'] = { TXT: [textAt(model, `_mta-sts.${model.domain}`)] };
      if (model.zone[`_mta-sts.${model.domain}`] === undefined) return;
      model.zone[`_mta-sts.${model.domain}`] = { CNAME: 'sts.hosted.example' };
      model.zone[`mta-sts.${model.domain}`] = addressesOf(model);
    },
  },
  {
    what: 'TLS reports go to a web service, too',
    plant: (model) =>
      edit(model.zone, `_smtp._tls.${model.domain}`, {
        TXT: [`v=TLSRPTv1;rua=https://reports.example/tls,mailto:postmaster@${model.domain}`],
      }),
  },
  {
    what: 'the MX has another preference, and capitals',
    plant: (model) => edit(model.zone, model.domain, { MX: [[0, model.hostname.toUpperCase()]] }),
  },
  {
    what: 'the name servers are those of a provider, three of them',
    plant(model) {
      const hosts = ['a', 'b', 'c'].map((label) => `${label}.ns.provider.example`);
      const { first, second } = model.places;
      for (const [index, host] of hosts.entries()) model.world[host] = { A: [index === 1 ? second : first] };
      edit(model.zone, model.domain, { NS: hosts });
      model.delegated = hosts;
    },
  },
  {
    what: 'the IPv4 address has two names, one of which is ours',
    plant(model) {
      model.world['host.provider.example'] = { A: [model.four] };
      model.world[reverseName(model.four)] = { PTR: ['host.provider.example', model.hostname] };
    },
  },
  {
    what: 'the reverse name is an alias, as of a part of a network',
    plant(model) {
      const reverse = reverseName(model.four);
      model.world[reverse] = { CNAME: `51.0/28.${reverse.slice(reverse.indexOf('.') + 1)}` };
      model.world[`51.0/28.${reverse.slice(reverse.indexOf('.') + 1)}`] = { PTR: [model.hostname] };
    },
  },
  {
    what: 'SRV records weigh otherwise, and name another host, too',
    plant: (model) =>
      edit(model.zone, `_submissions._tcp.${model.domain}`, {
        SRV: [
          [10, 5, portIn(model, '_submissions'), model.hostname],
          [20, 0, 465, 'backup.example'],
        ],
      }),
  },
  {
    what: 'autoconfig is at another name that leads here',
    plant(model) {
      model.zone[`webmail.${model.domain}`] = addressesOf(model);
      model.zone[`autoconfig.${model.domain}`] = { CNAME: `webmail.${model.domain}` };
    },
  },
  {
    what: 'a wildcard leads to a web site',
    plant: (model) => edit(model.zone, `*.${model.domain}`, { A: [model.places.nobody] }),
  },
  {
    what: 'records are kept for a minute',
    plant(model) {
      model.ttl = 60;
    },
  },
  {
    what: 'CAA of the domain: our authority, another one for wildcards, and whom to tell',
    plant(model) {
      const [own] = model.zone[model.hostname]?.CAA ?? [];
      edit(model.zone, model.hostname, { CAA: undefined });
      if (own === undefined) return;
      const others = [
        [0, 'issuewild', 'other-ca.example'],
        [0, 'iodef', `mailto:caa@${model.domain}`],
      ] as const;
      edit(model.zone, model.domain, { CAA: [own, ...others] });
    },
    needsCaa: true,
  },
  {
    what: 'CAA lets two authorities issue, and anybody of ours',
    plant: (model) =>
      edit(model.zone, model.hostname, {
        CAA: [[0, 'issue', 'other-ca.example'], ...(model.zone[model.hostname]?.CAA ?? [])],
      }),
    needsCaa: true,
  },
  {
    what: 'there is no CAA, no SRV and no autoconfig at all',
    plant(model) {
      for (const name of Object.keys(model.zone))
        if (/^(?:_[a-z0-9]+\._tcp|autoconfig|autodiscover)\./.test(name)) delete model.zone[name];
      edit(model.zone, model.hostname, { CAA: undefined });
    },
  },
  {
    what: 'TLSA records of two keys, one of which is ours',
    plant(model) {
      model.isSigned = true;
      edit(model.zone, `_25._tcp.${model.hostname}`, {
        TLSA: [[3, 1, 1, '5a'.repeat(32)], ...model.tlsKeys.map((key) => [3, 1, 1, key] as const)],
      });
    },
  },
];

const portIn = ({ zone, domain }: Planting, service: string): number =>
  zone[`${service}._tcp.${domain}`]?.SRV?.[0]?.[2] ?? 0;
