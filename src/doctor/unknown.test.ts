import { expect, test } from 'vitest';
import type { WantedRecord } from '../records/wanted-record.ts';
import { seenDns } from '../testing/seen-dns.ts';
import { examineAddresses } from './addresses.ts';
import { examineDkim } from './dkim.ts';
import { examineDmarc } from './dmarc.ts';
import { examineMx } from './mx.ts';
import { examineSpf } from './spf.ts';

const record = (
  name: string,
  type: WantedRecord['type'],
  purpose: WantedRecord['purpose'],
  data: string,
) => ({
  ...{ domain: 'example.com', name, type, data, purpose },
  ...({ need: 'required', why: 'mail needs it', where: 'zone' } as const),
});
const a = record('mx.example.com', 'A', 'address', '203.0.113.7');
const mx = record('example.com', 'MX', 'mx', '10 mx.example.com.');
const spf = record('example.com', 'TXT', 'spf', 'v=spf1 mx ~all');
const dkim = record('s._domainkey.example.com', 'TXT', 'dkim', 'v=DKIM1; p=abc');
const dmarc = record('_dmarc.example.com', 'TXT', 'dmarc', 'v=DMARC1; p=none');
const looks = seenDns(
  Object.fromEntries([a, mx, spf, dkim, dmarc].map(({ name, type }) => [`${name} ${type}`, 'unknown'])),
);
const signal = new AbortController().signal;

test.each([
  ['address-unknown', () => examineAddresses({ looks, wanted: [a], allowPrivate: false })],
  ['mx-unknown', async () => (await examineMx({ looks, wanted: mx, hostname: 'mx.example.com' })).findings],
  ['spf-unknown', () => examineSpf({ looks, signal, wanted: spf, senders: [] })],
  ['dkim-unknown', () => examineDkim({ looks, wanted: dkim, ours: [dkim] })],
  [
    'dmarc-unknown',
    async () => (await examineDmarc({ looks, signal, wanted: dmarc, hostname: 'mx.example.com' })).findings,
  ],
] as const)('P12: %s: where nobody tells, nothing is alleged to be missing', async (id, examine) => {
  expect(await examine()).toMatchObject([
    { id, severity: 'warning', isUnknown: true, evidence: expect.stringContaining('ns1 does not answer') },
  ]);
});
