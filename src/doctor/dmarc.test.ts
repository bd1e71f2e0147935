import { expect, test } from 'vitest';
import type { WantedRecord } from '../records/wanted-record.ts';
import { seenDns } from '../testing/seen-dns.ts';
import { examineDmarc } from './dmarc.ts';

const domain = 'lists.example.com';
const wanted: WantedRecord = {
  ...{ domain, name: `_dmarc.${domain}`, type: 'TXT', data: 'v=DMARC1; p=none' },
  ...{ purpose: 'dmarc', need: 'required', why: 'receivers want it', where: 'zone' },
};
const examine = async (answers: Record<string, string[]>) => {
  const signal = new AbortController().signal;
  const looks = seenDns(answers);
  return (await examineDmarc({ looks, signal, wanted, hostname: 'mx.example.com' })).findings;
};

test('P12: examineDmarc() takes the record of the organization for a name below it', async () => {
  const found = await examine({ '_dmarc.example.com TXT': ['v=DMARC1; p=reject; rua=mailto:a@example.com'] });
  expect(found).toMatchObject([{ severity: 'good', evidence: expect.stringContaining('counts for lists') }]);
});

test('P12: examineDmarc() says that the policy for names below asks for nothing', async () => {
  const found = await examine({ '_dmarc.example.com TXT': ['v=DMARC1; p=reject; sp=none'] });
  expect(found).toMatchObject([{ id: 'dmarc-policy-none', severity: 'note' }]);
});

test('P12: examineDmarc() finds nothing where two records stand above, which count as none', async () => {
  const two = ['v=DMARC1; p=reject', 'v=DMARC1; p=none'];
  expect(await examine({ '_dmarc.example.com TXT': two })).toMatchObject([{ id: 'dmarc-missing' }]);
});
