import { expect, test } from 'vitest';
import type { WantedRecord } from '../records/wanted-record.ts';
import { seenDns } from '../testing/seen-dns.ts';
import { examineAddresses } from './addresses.ts';

const wanted: WantedRecord = {
  ...{ domain: 'example.com', name: 'mx.example.com', type: 'A', data: '203.0.113.7', purpose: 'address' },
  ...{ need: 'required', why: 'the address at which this server takes mail', where: 'zone' },
};
const look = (published: readonly string[], allowPrivate = false) =>
  examineAddresses({
    looks: seenDns({ 'mx.example.com A': published }),
    wanted: [wanted],
    allowPrivate,
  });

test('P12: address-private: an address that nobody outside can reach', async () => {
  expect(await look(['203.0.113.7', '10.0.0.5'])).toMatchObject([
    {
      id: 'address-private',
      severity: 'error',
      evidence: 'mx.example.com leads to 10.0.0.5, which is private: nobody outside can reach it',
    },
  ]);
  expect(await look(['203.0.113.7', '10.0.0.5'], true)).toMatchObject([{ id: 'address-other' }]);
});

test('P12: address-missing: says where the name leads instead, with the record to enter', async () => {
  expect(await look(['198.51.100.9'])).toMatchObject([
    {
      id: 'address-missing',
      evidence: 'mx.example.com leads to 198.51.100.9 instead: this server has 203.0.113.7',
      record: expect.stringMatching(/^mx\.example\.com\. +3600 +IN +A +203\.0\.113\.7$/),
    },
    { id: 'address-other' },
  ]);
});
