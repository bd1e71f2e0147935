import { expect, test } from 'vitest';
import { formatAddress } from '../mail/address.ts';
import { isDmarcRecord, reportUris, tagsOf } from './record.ts';

test.each([
  ['v=DMARC1', true],
  ['v = DMARC1 ; p=none', true],
  ['v=DMARC10', false],
  ['p=none; v=DMARC1', false],
  ['V=DMARC1; p=none', false],
])('isDmarcRecord() of %s is %s', (text, is) => {
  expect(isDmarcRecord(text)).toBe(is);
});

test('tagsOf() takes the first of each, and passes over what is none', () => {
  const tags = tagsOf('v=DMARC1; p = none ;; rua=mailto:a@b.example; junk; rua=x; x==y');
  expect([...tags]).toEqual([
    ['v', 'DMARC1'],
    ['p', 'none'],
    ['rua', 'mailto:a@b.example'],
    ['x', '=y'],
  ]);
});

test('reportUris() reads addresses and how much each takes', () => {
  const rua =
    'mailto:a@b.example!10m, mailto:c%2Bd@e.example ,https://b.example/x,mailto:A@b.example!5,mailto:f@g.example!2k,mailto:a@b.example!x,nothing';
  expect(reportUris(rua).map(({ address, maxBytes }) => [formatAddress(address), maxBytes])).toEqual([
    ['a@b.example', 10 * 2 ** 20],
    ['c+d@e.example', undefined],
    ['A@b.example', 5],
    ['f@g.example', 2048],
  ]);
  expect(reportUris(`${'mailto:x@b.example,'.repeat(20)}mailto:last@b.example`)).toHaveLength(1);
});
