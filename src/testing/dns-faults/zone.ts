/** Faults of the zone as a whole: its name servers, its signatures, and what resolvers make of it. */

import { edit } from './edits.ts';
import type { Fault } from './fault.ts';

export const zoneFaults: readonly Fault[] = [
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
    also: ['ptr-unknown', 'ehlo-unknown', 'spf-unknown'],
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
  {
    id: 'zone-apex-alias',
    what: 'the domain is an alias of a web site, beside its MX',
    plant(model) {
      model.apexAlias = 'shop.example';
      model.keepsApex = true;
    },
    says: /ALIAS/,
  },
  {
    id: 'zone-wildcard',
    what: 'a wildcard answers everything',
    plant: (model) =>
      edit(model.zone, `*.${model.domain}`, {
        A: [model.places.nobody],
        MX: [[10, 'parking.example']],
        TXT: ['v=spf1 -all'],
      }),
    says: /TXT, MX, A/,
  },
  {
    id: 'zone-wildcard',
    what: 'a wildcard leads to a web site',
    plant: (model) => edit(model.zone, `*.${model.domain}`, { CNAME: 'shop.example' }),
    severity: 'note',
  },
  {
    id: 'zone-server-no-address',
    what: 'an address stands where the name of a name server belongs',
    plant(model) {
      edit(model.zone, model.domain, { NS: [`ns1.${model.domain}`, model.places.second] });
      model.delegated = [`ns1.${model.domain}`, model.places.second];
    },
    says: /name of the server, not its address/,
  },
  {
    id: 'zone-server-alias',
    what: 'the name of a name server is an alias',
    plant(model) {
      model.world['dns.provider.example'] = { A: [model.places.second] };
      model.zone[`ns2.${model.domain}`] = { CNAME: 'dns.provider.example' };
    },
    says: /dns\.provider\.example/,
  },
  {
    id: 'zone-no-tcp',
    what: 'a name server answers over UDP only',
    plant(model) {
      model.states.second = 'deaf';
    },
    says: /ns2.*TCP/,
  },
  {
    id: 'zone-servers-differ',
    what: 'a name server has the address before',
    plant(model) {
      model.second[model.hostname] = { ...model.zone[model.hostname], A: ['198.51.100.7'] };
    },
    says: /198\.51\.100\.7/,
  },
  {
    id: 'zone-hides-names',
    what: 'the name servers deny names that have only names below them',
    plant(model) {
      model.deniesEmpty = true;
    },
    says: /_domainkey/,
  },
  {
    id: 'resolver-outdated',
    what: 'another address is told elsewhere',
    plant(model) {
      model.resolver.stale[model.hostname] = { ...model.zone[model.hostname], A: ['198.51.100.7'] };
    },
    also: ['ehlo-no-address', 'ptr-not-confirmed', 'spf-misses-address'],
    says: /198\.51\.100\.7/,
  },
  {
    id: 'ttl-zero',
    what: 'records are not kept at all',
    plant(model) {
      model.ttl = 0;
    },
  },
];
