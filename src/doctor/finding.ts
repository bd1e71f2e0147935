/** What the doctor says: of each thing that was looked at, what was found, and what to do. */

import { recordLine } from '../records/print.ts';
import { catalogue, type FindingId, type Severity } from './catalogue.ts';

export interface Finding {
  /** Absent where all is well. */
  id?: FindingId;
  severity: Severity;
  /** Of what, in a few words. */
  what: string;
  evidence: string;
  /** Absent where all is well. */
  remedy?: string;
  /** The DNS record to enter, where one would mend it. */
  record?: string;
  /** It could not be found out. */
  isUnknown: boolean;
}

/** One thing that was looked at: all that was found of it. */
export interface Examined {
  name: string;
  /** In words, what follows for it. */
  verdict: string;
  findings: readonly Finding[];
  /** No address of ours, but a domain. */
  isDomain?: true;
}

export interface Section {
  section: string;
  examined: readonly Examined[];
}

export interface Details {
  evidence: string;
  remedy: string;
  /** As in a zone file, or what `recordLine()` makes into that. */
  record?: string | Parameters<typeof recordLine>[0] | undefined;
  isUnknown?: boolean;
  /** What else it is about, besides what the catalogue says. */
  about?: string;
  /** Where it is not as bad as the catalogue says. */
  severity?: Exclude<Severity, 'good'>;
}

export function found(id: FindingId, details: Details): Finding {
  const { evidence, remedy, record, isUnknown = false, about } = details;
  const { severity, what } = catalogue[id];
  return {
    id,
    severity: details.severity ?? severity,
    what: about === undefined ? what : `${what} ${about}`,
    evidence,
    remedy,
    ...(record !== undefined && { record: typeof record === 'string' ? record : recordLine(record) }),
    isUnknown,
  };
}

export const good = (what: string, evidence: string): Finding => ({
  severity: 'good',
  what,
  evidence,
  isUnknown: false,
});

/** Not long, and one line: what strangers publish may be anything. */
export function quote(text: string, most = 120): string {
  const line = text.replace(/[^\x20-\x7e]/g, '?');
  return `"${line.length > most ? `${line.slice(0, most)}…` : line}"`;
}

/** What is said of a record elsewhere, as a sentence. */
export const sentence = (text: string): string =>
  `${(text[0] ?? '').toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;

/** In numbers. */
export function verdictOf(findings: readonly Finding[]): string {
  const count = (wanted: Finding['severity']) =>
    findings.filter(({ severity }) => severity === wanted).length;
  const words = (['error', 'warning', 'note'] as const).flatMap((severity) => {
    const number = count(severity);
    return number === 0 ? [] : [`${number} ${severity}${number === 1 ? '' : 's'}`];
  });
  return words.length === 0 ? 'all is well' : words.join(', ');
}
