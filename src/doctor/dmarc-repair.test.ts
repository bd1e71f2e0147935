import { expect, test } from 'vitest';
import { repairDmarc } from './dmarc-repair.ts';

const right = 'v=DMARC1; p=reject; rua=mailto:a@example.com';

test.each([
  [`"${right}"`, right, /quotes/],
  [`_dmarc.example.com. IN TXT "${right}"`, right, /zone file/],
  [right.replaceAll(';', '\\;'), right, /backslashes/],
  [right.replace(';', ''), right, /semicolon is missing behind v=DMARC1/],
  [right.replace('reject;', 'reject'), right, /semicolon is missing between/],
  ['v=DMARC; p=none', 'v=DMARC1; p=none', /begin with/],
  [`${right}; mailto:b@example.com`, `${right},mailto:b@example.com`, /comma/],
  [right.replace('mailto:', ''), right, /mailto:/],
  [`${right}; adkim=strict`, `${right}; adkim=s`, /adkim=s /],
])('repairDmarc() undoes what was done: %s', (entered, text, problem) => {
  expect(repairDmarc(entered)).toEqual({ text, problem: expect.stringMatching(problem) });
});

test('repairDmarc() names what cannot be guessed, and nothing where nothing is wrong', () => {
  expect(repairDmarc('v=DMARC1; p=quarantaine')).toEqual({
    problem: 'p=quarantaine is not none, quarantine or reject',
  });
  expect(repairDmarc('v=DMARC1; p=none; p=reject')).toEqual({ problem: 'the tag p= stands there twice' });
  for (const text of [
    right,
    `${right};`,
    'v=DMARC1;p=none',
    'v=DMARC1 ; sp=none ; p = reject; fo=1',
    `${right}!10m`,
  ])
    expect(repairDmarc(text), text).toBeUndefined();
});
