/** Questions about SPF, and the zone that they are asked of: each record from the addresses that it could be about. */

import { reverseName } from '../../src/dns/reverse.ts';
import type { NameRecords, ZoneData } from '../../src/dns/zone-data.ts';
import type { SpfQuestion } from '../peers/verifiers.ts';

const addresses = [
  '192.0.2.10',
  '192.0.2.129',
  '198.51.100.7',
  '203.0.113.9',
  '2001:db8::10',
  '2001:db8:1::7',
];

/** By the label of the domain whose record it is. */
const recordsByLabel: Readonly<Record<string, string>> = {
  none: 'something else',
  all: 'v=spf1 +all',
  nobody: 'v=spf1 -all',
  soft: 'v=spf1 ~all',
  neutral: 'v=spf1 ?all',
  empty: 'v=spf1',
  a: 'v=spf1 a -all',
  'a-bits': 'v=spf1 a/24//32 -all',
  'a-other': 'v=spf1 a:mail.example.org -all',
  mx: 'v=spf1 mx -all',
  'mx-bits': 'v=spf1 mx/25 ~all',
  ip: 'v=spf1 ip4:192.0.2.0/25 ip6:2001:db8::/48 -all',
  'ip-zero': 'v=spf1 ip4:0.0.0.0/0 -all',
  include: 'v=spf1 include:ip.example.org -all',
  'include-none': 'v=spf1 include:none.example.org -all',
  'include-neutral': 'v=spf1 include:neutral.example.org -all',
  redirect: 'v=spf1 redirect=ip.example.org',
  'redirect-none': 'v=spf1 redirect=nowhere.example.org',
  'redirect-all': 'v=spf1 -all redirect=all.example.org',
  exists: 'v=spf1 exists:%{ir}.allowed.example.org -all',
  macro: 'v=spf1 exists:%{l1r-}.%{d2}.users.example.org ~all',
  helo: 'v=spf1 exists:%{h}.helo.example.org -all',
  ptr: 'v=spf1 ptr:example.org -all',
  loop: 'v=spf1 include:loop.example.org -all',
  ring: 'v=spf1 redirect=ring2.example.org',
  ring2: 'v=spf1 redirect=ring.example.org',
  voids: 'v=spf1 a:v1.example.org a:v2.example.org a:v3.example.org +all',
  many: `v=spf1 ${Array.from({ length: 11 }, (_, number) => `a:h${number}.example.org`).join(' ')} +all`,
  unknown: 'v=spf1 moo=moo -all',
  syntax: 'v=spf1 ipv4:192.0.2.1 +all',
  'bad-address': 'v=spf1 ip4:192.0.2.256 +all',
  'bad-bits': 'v=spf1 ip4:192.0.2.1/33 +all',
  'bad-macro': 'v=spf1 exists:%{z}.example.org +all',
  twice: 'v=spf1 redirect=ip.example.org redirect=all.example.org',
  upper: 'V=SPF1 IP4:192.0.2.0/24 -ALL',
  colon: 'v=spf1 include:+all',
};

const hosts: ZoneData = {
  'mail.example.org': { A: ['192.0.2.129'], AAAA: ['2001:db8::10'] },
  '10.2.0.192.allowed.example.org': { A: ['127.0.0.2'] },
  'some.example.org.users.example.org': { A: ['127.0.0.2'] },
  'client.example.helo.example.org': { A: ['127.0.0.2'] },
  ...Object.fromEntries(
    Array.from({ length: 11 }, (_, number) => [`h${number}.example.org`, { A: ['203.0.113.200'] }]),
  ),
  [reverseName('192.0.2.129')]: { PTR: ['mail.example.org'] },
  [reverseName('192.0.2.10')]: { PTR: ['mail.example.org', 'other.example'] },
};

const domains = Object.entries(recordsByLabel).map(([label, record]): [string, NameRecords] => [
  `${label}.example.org`,
  { TXT: [record], A: ['192.0.2.10'], AAAA: ['2001:db8::10'], MX: [[10, 'mail.example.org']] },
]);

export const spfZone: ZoneData = { ...hosts, ...Object.fromEntries(domains) };

export const spfQuestions: readonly SpfQuestion[] = [
  ...domains.map(([name]) => name),
  'nowhere.example.org',
].flatMap((name) =>
  addresses.map((address) => ({ address, sender: `some-body@${name}`, helo: 'client.example' })),
);
