import { expect, test } from 'vitest';
import { found, good, type Section } from './finding.ts';
import { carryOver, changesBetween } from './watch.ts';

const late = found('not-looked-at', { evidence: 'late', remedy: 'wait', isUnknown: true });
const missing = (evidence = 'nothing is there') => found('spf-missing', { evidence, remedy: 'enter it' });
const testing = found('dkim-testing', { about: 'posthorn', evidence: 't=y', remedy: 'take it out' });
const sections = (...findings: ReturnType<typeof found>[]): Section[] => [
  { section: 'domains', examined: [{ name: 'example.com', verdict: '', findings, isDomain: true }] },
];
const told = (before: Section[], after: Section[]) =>
  changesBetween(before, after).map(({ change, finding }) => `${change} ${finding.id} of ${finding.name}`);

test('changesBetween() tells what has appeared and what is over, and nothing that stays', () => {
  expect(told([], sections(missing(), good('DKIM', 'is there')))).toEqual([
    'appeared spf-missing of example.com',
  ]);
  expect(told(sections(missing()), sections(missing('another text'), testing))).toEqual([
    'appeared dkim-testing of example.com',
  ]);
  expect(told(sections(missing(), testing), sections(testing))).toEqual([
    'disappeared spf-missing of example.com',
  ]);
  expect(told(sections(testing), sections(testing))).toEqual([]);
});

test('carryOver() keeps what was found before of what could not be looked at now', () => {
  const before = sections(missing());
  expect(told(before, carryOver(before, sections(late)))).toEqual([]);
  expect(told([], carryOver([], sections(late)))).toEqual(['appeared not-looked-at of example.com']);
});
