import { expect, test } from 'vitest';
import { atLeast, atMost, brief, targetTable } from './targets.ts';

test('atLeast() is met at the mark itself', () => {
  expect(atLeast('relay', 3, { must: 3, aim: 6, unit: ' ×' })).toEqual({
    what: 'relay',
    must: '≥ 3 ×',
    aim: '≥ 6 ×',
    measured: '3 ×',
    met: true,
  });
  expect(atLeast('relay', 2.99, { must: 3 }).met).toBe(false);
});

test('atMost() is met below the mark', () => {
  expect(atMost('memory', 99.6, { must: 130, unit: ' MiB' })).toMatchObject({ must: '≤ 130 MiB', met: true });
  expect(atMost('memory', 131, { must: 130 }).met).toBe(false);
});

test('a figure that could not be measured meets no target', () => {
  expect([atLeast('x', Number.NaN, { must: 3 }).met, atMost('x', Number.NaN, { must: 3 }).met]).toEqual([
    false,
    false,
  ]);
});

test('brief() keeps three digits and no idle zeros', () => {
  expect([0.33333, 4.206, 3, 129.6, 1160.2].map(brief)).toEqual(['0.333', '4.21', '3', '130', '1160']);
});

test('targetTable() says of each target whether it is met', () => {
  const table = targetTable([atLeast('fast', 4, { must: 3, aim: 6 }), atMost('small', 9, { must: 5 })]);
  expect(table.split('\n').map((line) => line.trim().replace(/ {2,}/g, ' | '))).toEqual([
    'must reach | aim for | measured',
    'fast | ≥ 3 | ≥ 6 | 4 | met',
    'small | ≤ 5 | 9 | NOT met',
  ]);
});
