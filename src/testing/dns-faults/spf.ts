/** Faults of the SPF record (RFC 7208). */

import { edit, textAt } from './edits.ts';
import type { Fault, Planting } from './fault.ts';

/** Replaces the SPF record of the domain. */
const spf = (text: string | readonly string[]) => (model: Planting) =>
  edit(model.zone, model.domain, { TXT: [text].flat() });

export const spfFaults: readonly Fault[] = [
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
  {
    id: 'spf-permits-all',
    what: 'SPF permits all addresses',
    plant: spf('v=spf1 ip4:0.0.0.0/0 ip6:::/0 -all'),
  },
  {
    id: 'spf-permits-all',
    what: 'SPF includes somebody who permits the world',
    plant(model) {
      model.world['all.example'] = { TXT: ['v=spf1 all'] };
      spf('v=spf1 mx include:all.example -all')(model);
    },
    says: /include:all\.example/,
  },
  {
    id: 'spf-dead-include',
    what: 'SPF includes a name that does not exist',
    plant: (model) => spf(`v=spf1 mx include:_spf.${model.domain} ~all`)(model),
    says: /does not exist/,
  },
  {
    id: 'spf-too-many-lookups',
    what: 'SPF includes itself',
    plant: (model) => spf(`v=spf1 mx include:${model.domain} ~all`)(model),
    says: /itself/,
  },
  {
    id: 'spf-syntax',
    what: 'the pieces of SPF are joined without a space',
    plant: spf('v=spf1 mx ip4:192.0.2.1include:news.example ~all'),
    says: /without a space/,
  },
  {
    id: 'spf-syntax',
    what: 'an IPv6 address stands behind ip4:',
    plant: spf('v=spf1 mx ip4:2001:db8::1 ~all'),
    says: /ip6:/,
  },
  {
    id: 'spf-syntax',
    what: 'a space stands behind the colon of ip4:',
    plant: spf('v=spf1 mx ip4: 192.0.2.1 ~all'),
    says: /ip4:/,
  },
  {
    id: 'spf-mistyped',
    what: 'SPF has semicolons between its terms',
    plant: spf('v=spf1; mx; ~all'),
    says: /semicolon/,
  },
  {
    id: 'spf-mistyped',
    what: 'the whole line of the zone file was entered as SPF',
    plant: (model) => spf(`${model.domain}. 3600 IN TXT "v=spf1 mx ~all"`)(model),
    says: /zone file/,
  },
  {
    id: 'spf-misplaced',
    what: 'the SPF record stands at a name that is an @',
    plant(model) {
      model.zone[`@.${model.domain}`] = { TXT: [textAt(model, model.domain)] };
      spf([])(model);
    },
  },
  {
    id: 'spf-misses-address',
    what: 'SPF names this server, but does not permit it',
    plant: spf('v=spf1 ?mx -all'),
    says: /mx/,
  },
  {
    id: 'spf-misses-address',
    what: 'the name of the server forbids all mail',
    plant: (model) => edit(model.zone, model.hostname, { TXT: ['v=spf1 -all'] }),
  },
];
