/** The doctor's findings as text for people. */

import type { Examined, Finding, Section } from '../doctor/finding.ts';
import type { Change } from '../doctor/watch.ts';
import { printable } from '../dossier/printable.ts';

const margin = '             ';

export function sectionText({ section, examined }: Section): string[] {
  const shared = new Set(sharedBy(examined));
  const own = (findings: Examined['findings']) =>
    findings.map((finding) => findingText(finding)).filter((lines) => !shared.has(lines.join('\n')));
  return [
    `${section[0]?.toUpperCase()}${section.slice(1)}`,
    ...examined.flatMap(({ name, verdict, findings }) => [
      `  ${printable(name)}: ${verdict}`,
      ...own(findings).flat(),
    ]),
    ...(shared.size === 0 ? [] : ['  all addresses:', ...shared]),
  ];
}

/** The text of what was found of each and every address: it is said once. */
function sharedBy(examined: readonly Examined[]): string[] {
  const [first, ...others] = examined
    .filter(({ isDomain }) => !isDomain)
    .map(({ findings }) => findings.map((finding) => findingText(finding).join('\n')));
  if (first === undefined || others.length === 0) return [];
  return first.filter((text) => others.every((texts) => texts.includes(text)));
}

export function findingText({ id, severity, what, evidence, remedy, record }: Finding): string[] {
  return [
    `    ${severity.padEnd(9)}${printable(what)}: ${printable(evidence)}${id === undefined ? '' : ` [${id}]`}`,
    ...(record === undefined ? [] : record.split('\n').map((line) => `${margin}enter: ${printable(line)}`)),
    ...(remedy === undefined ? [] : [`${margin}${remedy}`]),
  ];
}

/** One change, with the time of day. */
export function changeText({ change, finding }: Change, at: number): string[] {
  const time = new Date(at).toISOString().replace('T', ' ').slice(0, 19);
  const { name } = finding;
  if (change === 'disappeared') {
    const words = `${printable(finding.what)}${finding.id === undefined ? '' : ` [${finding.id}]`}`;
    return [`${time}  ${printable(name)}: over`, `    ${'good'.padEnd(9)}${words}`];
  }
  return [`${time}  ${printable(name)}`, ...findingText(finding)];
}
