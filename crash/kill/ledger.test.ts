import { expect, test } from 'vitest';
import { numbered } from '../../e2e/peers/flood.ts';
import { Ledger } from './ledger.ts';
import { bodyOf, firstLarge, firstMedium } from './letters.ts';

const [alice, bob] = ['alice@example.com', 'bob@example.com'];

const message = (number: number, body = bodyOf(number)) =>
  Buffer.from(numbered({ number, from: 'a@example.org', to: [alice], body }));

test('balance() tells what was acknowledged and is not found, for each recipient', () => {
  const ledger = new Ledger();
  ledger.acknowledge(1, [alice, bob]);
  ledger.acknowledge(2, [alice]);
  ledger.find(alice, message(1));
  expect(ledger.balance()).toMatchObject({ acknowledged: 2, missing: [`1 ${bob}`, `2 ${alice}`], torn: [] });
});

test('balance() counts what is there more than once', () => {
  const ledger = new Ledger();
  for (const at of [10, 20, 30]) ledger.find(alice, message(7), at);
  ledger.find(bob, message(7));
  expect(ledger.balance().repeated).toEqual(new Map([[`7 ${alice}`, 3]]));
  expect(ledger.foundAt(`7 ${alice}`)).toEqual([10, 20, 30]);
});

test.each([1, firstMedium, firstLarge])(
  'balance() knows a whole message from a torn one, whatever its line ends: %i',
  (number) => {
    const ledger = new Ledger();
    ledger.find(alice, message(number));
    ledger.find(alice, Buffer.from(message(number).toString().replaceAll('\r\n', '\n')));
    expect(ledger.balance().torn).toEqual([]);
    ledger.find(bob, message(number).subarray(0, -20));
    ledger.find(bob, Buffer.concat([message(number), Buffer.from('more\r\n')]));
    ledger.find(bob, message(number, bodyOf(number + 1)));
    expect(ledger.balance().torn).toEqual(Array(3).fill(`${number} ${bob}`));
  },
);

test('balance() tells what is no whole message of ours, be there a whole one beside it', () => {
  const ledger = new Ledger();
  ledger.find(alice, message(1));
  ledger.find(alice, Buffer.alloc(0));
  ledger.find(bob, message(1).subarray(0, 30));
  expect(ledger.balance()).toMatchObject({
    torn: [],
    strange: [`0 octets for ${alice}`, `30 octets for ${bob}`],
  });
});
