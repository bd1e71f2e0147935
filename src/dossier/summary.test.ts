import { expect, test } from 'vitest';
import { journey, queueId, recipient, start, taken } from '../testing/journey.ts';
import type { DossierEvent } from './event.ts';
import { summarise } from './summary.ts';

test('summarise() tells the last decision for each recipient, and where an alias led', () => {
  expect(summarise(journey)).toMatchObject([
    { recipient, state: 'delivered', decidedBy: { event: 'delivered' } },
  ]);
  const redirected: DossierEvent = {
    at: start,
    queueId,
    recipient,
    event: 'redirected',
    data: { from: 'a@example.net', rule: 'alias' },
  };
  expect(summarise([taken, redirected])).toEqual([
    { recipient, state: 'underway', original: 'a@example.net' },
  ]);
});
