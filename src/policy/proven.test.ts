import { expect, test } from 'vitest';
import type { Facts } from './facts.ts';
import { proofOf } from './proven.ts';

const domain = 'bank.example';

/** DMARC passes, by SPF or by a signature that leaves so many octets of the body unsigned (l=). */
function facts(bySpf: boolean, unsignedOctets?: number): Facts {
  const signature = { result: 'pass', domain: 'mail.bank.example', aligned: true, unsignedOctets };
  const found = {
    spf: { result: 'fail', domain, scope: 'mailfrom' },
    dkim: [signature],
    dmarc: { result: 'pass', domain, aligned: { spf: bySpf, dkim: true } },
  };
  return found as unknown as Facts; // as much of them as is looked at
}

test.each([
  ['a signature over all', facts(false), 'yes'],
  ['a signature over a part', facts(false, 9), 'no'],
  ['SPF beside a signature over a part', facts(true, 9), 'yes'],
])('DMARC that passes by %s: whether the author is proven', (_, found, proven) => {
  expect(proofOf({ address: 'me@bank.example', in: 'From' }, found).proven).toBe(proven);
});
