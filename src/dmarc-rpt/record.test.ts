import { expect, test } from 'vitest';
import { formatAddress } from '../mail/address.ts';
import { mailUris } from './record.ts';

test('mailUris() reads addresses and how much each takes', () => {
  const rua =
    'mailto:a@b.example!10m, mailto:c%2Bd@e.example ,https://b.example/x,mailto:A@b.example!5,mailto:f@g.example!2k,mailto:a@b.example!x,nothing';
  expect(mailUris(rua.split(',')).map(({ address, maxBytes }) => [formatAddress(address), maxBytes])).toEqual(
    [
      ['a@b.example', 10 * 2 ** 20],
      ['c+d@e.example', undefined],
      ['A@b.example', 5],
      ['f@g.example', 2048],
    ],
  );
  expect(mailUris([...new Array(20).fill('mailto:x@b.example'), 'mailto:last@b.example'])).toHaveLength(1);
});
