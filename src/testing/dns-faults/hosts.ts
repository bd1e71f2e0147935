/** Faults of the hosts that mail comes to and goes out from: addresses, MX, PTR, block lists. */

import { reverseName } from '../../dns/reverse.ts';
import { edit } from './edits.ts';
import type { Fault, Planting } from './fault.ts';

const mx =
  (...hosts: readonly (readonly [number, string])[]) =>
  (model: Planting) =>
    edit(model.zone, model.domain, { MX: hosts });

export const hostFaults: readonly Fault[] = [
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
  {
    id: 'address-missing',
    what: 'the address stands at a name with the domain twice',
    plant(model) {
      const { A, AAAA, ...others } = model.zone[model.hostname] ?? {};
      model.zone[`${model.hostname}.${model.domain}`] = { ...(A && { A }), ...(AAAA && { AAAA }) };
      model.zone[model.hostname] = others;
    },
    also: ['ehlo-no-address', 'ptr-not-confirmed', 'spf-misses-address', 'mta-sts-no-policy'],
    says: /adds the domain/,
  },
  {
    id: 'address-other',
    what: 'the IPv6 address is that of another machine',
    plant: (model) => edit(model.zone, model.hostname, { AAAA: ['2001:db8:99::1'] }),
    also: ['address-missing', 'ehlo-no-address', 'ptr-not-confirmed', 'spf-misses-address'],
    needsIpv6: true,
    says: /2001:db8:99::1/,
  },
  {
    id: 'mx-missing',
    what: 'the MX stands at a name with the domain twice',
    plant(model) {
      edit(model.zone, `${model.domain}.${model.domain}`, { MX: [[10, model.hostname]] });
      edit(model.zone, model.domain, { MX: undefined });
    },
    also: ['spf-misses-address'],
    says: /adds the domain/,
  },
  {
    id: 'mx-nowhere',
    what: 'a second MX is long gone',
    plant: (model) => mx([5, `backup.${model.domain}`], [10, model.hostname])(model),
    says: /backup/,
  },
  {
    id: 'mx-nowhere',
    what: 'the MX points to the domain, which has no address',
    plant: (model) => mx([10, model.domain])(model),
    also: ['spf-misses-address'],
  },
  {
    id: 'mx-null',
    what: 'a null MX stands beside the MX',
    plant: (model) => mx([0, ''], [10, model.hostname])(model),
  },
  {
    id: 'ptr-not-confirmed',
    what: 'the final dot of the reverse name was left out',
    plant(model) {
      const reverse = reverseName(model.four);
      model.world[reverse] = { PTR: [`${model.hostname}.${reverse.slice(reverse.indexOf('.') + 1)}`] };
    },
    says: /final dot/,
  },
];
