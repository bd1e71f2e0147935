import { expect, test } from 'vitest';
import type { WantedRecord } from '../records/wanted-record.ts';
import { seenDns } from '../testing/seen-dns.ts';
import { examineAutoconfig, examineServices } from './clients.ts';

const common = { domain: 'example.com', need: 'optional', why: 'for mail programs', where: 'zone' } as const;
const autoconfig: WantedRecord = {
  ...common,
  ...{ name: 'autoconfig.example.com', type: 'CNAME', data: 'mx.example.com.', purpose: 'autoconfig' },
};
const service: WantedRecord = {
  ...common,
  ...{
    name: '_submissions._tcp.example.com',
    type: 'SRV',
    data: '0 1 465 mx.example.com.',
    purpose: 'client-srv',
  },
};
const ours = { 'mx.example.com A': ['203.0.113.7'] };
const idsOf = async (findings: Promise<readonly { id?: string; severity: string }[]>) =>
  (await findings).map(({ id, severity }) => id ?? severity);

test('P12: examineAutoconfig(): a name that leads nowhere, elsewhere, or is not wanted yet', async () => {
  const look = (address: string[], record = autoconfig) =>
    idsOf(
      examineAutoconfig(
        seenDns({ ...ours, 'autoconfig.example.com A': address }),
        [record],
        'mx.example.com',
      ),
    );
  expect(await look(['203.0.113.7'])).toEqual([]);
  expect(await look([])).toEqual(['autoconfig-missing']);
  expect(await look(['198.51.100.9'])).toEqual(['autoconfig-wrong']);
  expect(await look([], { ...autoconfig, notYet: 'a web server must answer first' })).toEqual([]);
});

test('P12: examineServices(): an SRV record that is missing or leads elsewhere; weights are a matter of taste', async () => {
  const look = (texts: string[]) =>
    idsOf(examineServices(seenDns({ '_submissions._tcp.example.com SRV': texts }), [service]));
  expect(await look(['5 0 465 mx.example.com'])).toEqual(['good']);
  expect(await look([])).toEqual(['srv-missing']);
  expect(await look(['0 1 587 mx.example.com'])).toEqual(['srv-wrong']);
});

test('P12: examineServices() finds nothing good where nobody tells', async () => {
  const looks = seenDns({ '_submissions._tcp.example.com SRV': 'unknown' });
  expect(await idsOf(examineServices(looks, [service]))).toEqual([]);
});
