/** What a filter said, in a sentence for people. */

import { type FilterFact, isUnknown, type MilterFact, type RspamdFact, type UnknownFact } from './fact.ts';

/** `clamav: nothing found`. */
export const factWords = (fact: FilterFact): string => `${fact.name}: ${saidOf(fact)}`;

/** The same, and how long it took. */
export const describeFact = (fact: FilterFact): string => `${factWords(fact)} (${fact.durationMs} ms)`;

function saidOf(fact: FilterFact): string {
  if (isUnknown(fact)) return unknownWords(fact);
  switch (fact.kind) {
    case 'milter':
      return milterWords(fact);
    case 'rspamd':
      return rspamdWords(fact);
    case 'clamd':
      return fact.malware === undefined ? 'nothing found' : `found ${fact.malware}`;
  }
}

const whyUnknown = {
  down: 'not known, it is down',
  timeout: 'not known, it did not answer in time',
  lied: 'not known, what it said makes no sense',
  tooLarge: 'not looked at, it is too large',
} as const satisfies Record<UnknownFact['unknown'], string>;

const unknownWords = ({ unknown, problem }: UnknownFact): string => `${whyUnknown[unknown]}: ${problem}`;

const verdictWords = {
  accept: 'nothing to object',
  reject: 'refuses it',
  tempfail: 'wants to see it later',
  discard: 'wants it thrown away (what is accepted never is)',
} as const satisfies Record<MilterFact['verdict'], string>;

function milterWords({ verdict, stage, reply, quarantine, added = [], notDone = [] }: MilterFact): string {
  return [
    quarantine !== undefined && verdict === 'accept' ? `at ${stage}` : `${verdictWords[verdict]} at ${stage}`,
    ...(reply === undefined ? [] : [`"${reply.code} ${reply.lines.join(' / ')}"`]),
    ...(quarantine === undefined ? [] : [`wants it in quarantine: ${quarantine}`]),
    ...(added.length === 0 ? [] : [`added ${added.join(', ')}`]),
    ...(notDone.length === 0 ? [] : [`asked for, and not done: ${notDone.join('; ')}`]),
  ].join(', ');
}

/** Symbols that are told of in a line. */
const maxShown = 8;

function rspamdWords({ action, score, required, symbols, message, notDone = [] }: RspamdFact): string {
  const shown = symbols.slice(0, maxShown).map(({ name, score }) => `${name} (${signed(score)})`);
  return [
    `${action}, score ${rounded(score)}${required > 0 ? ` of ${rounded(required)}` : ''}`,
    ...(message === undefined ? [] : [`"${message}"`]),
    ...(shown.length === 0 ? [] : [shown.join(' ')]),
    ...(notDone.length === 0 ? [] : [`asked for, and not done: ${notDone.join('; ')}`]),
  ].join(', ');
}

const rounded = (score: number): string => String(Math.round(score * 100) / 100);
const signed = (score: number): string => (score > 0 ? `+${rounded(score)}` : rounded(score));
