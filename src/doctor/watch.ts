/** What has changed between two examinations: for who watches. Pure. */

import type { Finding, Section } from './finding.ts';

/** A finding with what it is about. */
export interface PlacedFinding extends Finding {
  section: string;
  name: string;
}

export interface Change {
  change: 'appeared' | 'disappeared';
  finding: PlacedFinding;
}

/** All that is not well, in order. */
export const problemsIn = (sections: readonly Section[]): PlacedFinding[] =>
  sections.flatMap(({ section, examined }) =>
    examined.flatMap(({ name, findings }) =>
      findings
        .filter(({ severity }) => severity !== 'good')
        .map((finding) => ({ section, name, ...finding })),
    ),
  );

/** Evidence may differ in a number; it is the same finding all the same. */
export function changesBetween(before: readonly Section[], after: readonly Section[]): Change[] {
  const [old, now] = [problemsIn(before), problemsIn(after)];
  const [oldKeys, nowKeys] = [new Set(old.map(keyOf)), new Set(now.map(keyOf))];
  return [
    ...now
      .filter((each) => !oldKeys.has(keyOf(each)))
      .map((finding) => ({ change: 'appeared', finding }) as const),
    ...old
      .filter((each) => !nowKeys.has(keyOf(each)))
      .map((finding) => ({ change: 'disappeared', finding }) as const),
  ];
}

/** What could not be found out is not over: then the finding before stays until something is known. */
export function carryOver(before: readonly Section[], after: readonly Section[]): Section[] {
  const late = new Set(
    problemsIn(after).flatMap(({ id, section }) => (id === 'not-looked-at' ? [section] : [])),
  );
  return after.map((section) =>
    late.has(section.section)
      ? (before.find((each) => each.section === section.section) ?? section)
      : section,
  );
}

const keyOf = ({ section, name, id, what }: PlacedFinding): string => [section, name, id, what].join('\n');
