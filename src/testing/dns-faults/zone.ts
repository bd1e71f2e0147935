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
