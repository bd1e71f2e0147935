/** The doctor's findings as text for people: what is to be done first, then all that was looked at, place by place. */

import { byCause, wordsIn } from '../doctor/causes.ts';
import { type Examined, type Finding, type Section, verdictOf } from '../doctor/finding.ts';
import type { Change, PlacedFinding } from '../doctor/watch.ts';
import { problemsIn } from '../doctor/watch.ts';
import { printable } from '../dossier/printable.ts';

const margin = ' '.repeat(9);

export function reportText(sections: readonly Section[]): string[] {
  const problems = problemsIn(sections);
  const places = sections.flatMap(sectionText);
  if (problems.length === 0) return ['All is well.', '', ...places];
  const groups = byCause(problems);
  const things = groups.length === 1 ? 'One thing' : `${groups.length} things`;
  return [
    `${things} to look at: ${verdictOf(problems)}. What matters most comes first; what comes later may follow from it.`,
    '',
    ...groups.flatMap((group) => [...problemText(group), '']),
    ...glossary(problems),
    'All that was looked at:',
    '',
    ...places,
  ];
}

function glossary(problems: readonly PlacedFinding[]): string[] {
  const words = wordsIn(problems);
  if (words.length === 0) return [];
  const longest = Math.max(...words.map(([word]) => word.length));
  const lines = words.map(([word, meaning]) => `  ${word.padEnd(longest)}  ${meaning}`);
  return ['What these words mean:', '', ...lines, ''];
}

/**
 * What is wrong, what to do, and the record, which begins its line: so it can be copied into a zone file as it is. Nothing is
 * wrapped, for commands in it are copied too.
 */
function problemText([first, ...others]: readonly PlacedFinding[]): string[] {
  if (first === undefined) return [];
  const { severity, remedy, record } = first;
  return [
    `${severity.padEnd(margin.length)}${placedText(first)}`,
    ...others.map((other) => `${margin}and so: ${placedText(other)}`),
    ...(remedy === undefined ? [] : [`${margin}${printable(remedy)}`]),
    ...(record === undefined
      ? []
      : [`${margin}To be entered:`, ...record.split('\n').map((line) => printable(line))]),
  ];
}

const placedText = (finding: PlacedFinding): string => `${printable(finding.name)}: ${whatText(finding)}`;

const whatText = ({ id, what, evidence }: Finding): string =>
  `${printable(what)}: ${printable(evidence)}${id === undefined ? '' : ` [${id}]`}`;

export function sectionText({ section, examined }: Section): string[] {
  const shared = new Set(sharedBy(examined));
  const own = (findings: Examined['findings']) => findings.map(lineOf).filter((line) => !shared.has(line));
  return [
    `${section[0]?.toUpperCase()}${section.slice(1)}`,
    ...examined.flatMap(({ name, verdict, findings }) => [
      `  ${printable(name)}: ${verdict}`,
      ...own(findings),
    ]),
    ...(shared.size === 0 ? [] : ['  all addresses:', ...shared]),
  ];
}

/** The text of what was found of each and every address: it is said once. */
function sharedBy(examined: readonly Examined[]): string[] {
  const [first, ...others] = examined
    .filter(({ isDomain }) => !isDomain)
    .map(({ findings }) => findings.map(lineOf));
  if (first === undefined || others.length === 0) return [];
  return first.filter((text) => others.every((texts) => texts.includes(text)));
}

const lineOf = (finding: Finding): string =>
  `    ${finding.severity.padEnd(margin.length)}${whatText(finding)}`;

/** One change, with the time of day. */
export function changeText({ change, finding }: Change, at: number): string[] {
  const time = new Date(at).toISOString().replace('T', ' ').slice(0, 19);
  if (change === 'appeared') return [time, ...problemText([finding])];
  const id = finding.id === undefined ? '' : ` [${finding.id}]`;
  return [
    `${time}  ${printable(finding.name)}: over`,
    `${'good'.padEnd(margin.length)}${printable(finding.what)}${id}`,
  ];
}
