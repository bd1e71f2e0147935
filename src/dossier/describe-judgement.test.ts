import { expect, test } from 'vitest';
import type { DossierEvent } from './event.ts';
import { formatTimeline } from './timeline.ts';

const base = { at: Date.UTC(2026, 3, 12, 3, 28), queueId: '01JRMGQ4TQ0A1B' };
const refused = (reply: string): DossierEvent => ({
  ...base,
  event: 'refused',
  data: { from: 'a@example.org', to: ['b@example.com'], reply, rule: 'scripted' },
});

test('who is asked to come again is not refused, and nobody hears of it', () => {
  const waiting = formatTimeline([refused('451 4.7.1 Greylisted')]);
  expect(waiting).toContain('Asked to come again: 451 4.7.1 Greylisted');
  expect(waiting).toContain('until then nobody hears of it');
  const final = formatTimeline([refused('550 5.7.1 No')]);
  expect(final).toMatch(/Refused: 550[\s\S]*its user hears of it from there/);
});

test('what a filter did not say is told once, and in one way', () => {
  const told = formatTimeline([
    {
      ...base,
      recipient: 'b@example.com',
      event: 'judged',
      data: {
        ...{ policy: 'default', disposition: 'accept', folder: 'Inbox', rule: 'Accepted: x.' },
        unknown: ['m1: not known, it is down: refused', 'm1: not known, it is down: refused'],
      },
    },
  ]);
  expect(told.match(/not known/g)).toHaveLength(1);
  expect(told).toContain('not known: m1: it is down: refused');
});

test('the reason of a refusal and of the judgement behind it is told once', () => {
  const judged: DossierEvent = {
    ...base,
    recipient: 'b@example.com',
    event: 'judged',
    data: { policy: 'default', disposition: 'reject', rule: 'scripted' },
  };
  expect(formatTimeline([refused('550 5.7.1 No'), judged]).match(/why: scripted/g)).toHaveLength(1);
  const other = { ...judged, data: { ...judged.data, rule: 'another' } };
  expect(formatTimeline([refused('550 5.7.1 No'), other])).toMatch(/why: scripted[\s\S]*why: another/);
});
