/** Conditions over what the filters said: milters, rspamd, clamd. What one has not said is unknown, and never held against it. */

import { milterReply } from '../../filter/decide.ts';
import { type FilterFact, isUnknown, type MilterFact, type RspamdFact } from '../../filter/fact.ts';
import { factWords } from '../../filter/words.ts';
import { type Case, type Condition, type Finding, no, unknown, yes } from '../condition.ts';

const filtersIn = ({ facts }: Case): readonly FilterFact[] => facts.filters ?? [];

/** The first that is so; else whether one of that kind could not be asked. */
function findFirst(
  judged: Case,
  kind: FilterFact['kind'],
  holds: (fact: FilterFact) => boolean,
): { finding: Finding; fact?: FilterFact } {
  const facts = filtersIn(judged).filter((fact) => fact.kind === kind);
  const fact = facts.find(holds);
  if (fact !== undefined) return { finding: yes(factWords(fact)), fact };
  const silent = facts.find(isUnknown);
  if (silent !== undefined) return { finding: unknown(factWords(silent)) };
  return { finding: no(facts.length === 0 ? `no ${kind} has seen it` : facts.map(factWords).join('; ')) };
}

const isInfected = (fact: FilterFact): boolean =>
  fact.kind === 'clamd' && !isUnknown(fact) && fact.malware !== undefined;

const toJunk = {
  discard: ({ verdict }: MilterFact) => verdict === 'discard',
  quarantine: ({ quarantine }: MilterFact) => quarantine !== undefined,
  'other-body': ({ wantsOtherBody }: MilterFact) => wantsOtherBody === true,
};

const milterTests: Readonly<Record<string, (fact: MilterFact) => boolean>> = {
  reject: ({ verdict }) => verdict === 'reject',
  ...toJunk,
  junk: (fact) => Object.values(toJunk).some((holds) => holds(fact)),
};

const findMilter = (judged: Case, argument: string) =>
  findFirst(judged, 'milter', (fact) => {
    if (fact.kind !== 'milter' || isUnknown(fact)) return false;
    return milterTests[argument]?.(fact) ?? false;
  });

/** rspamd's words for "this looks like spam, and may be taken". */
const junkActions: readonly string[] = ['add header', 'rewrite subject', 'quarantine', 'discard'];
const actions: readonly string[] = ['reject', 'soft reject', 'greylist', 'no action', ...junkActions];

const scoreIn = (argument: string): number | undefined =>
  /^-?\d{1,6}(\.\d{1,3})?$/.test(argument) ? Number(argument) : undefined;

function saysRspamd({ action, score }: RspamdFact, argument: string): boolean {
  const least = scoreIn(argument);
  if (least !== undefined) return score >= least;
  return argument === 'junk' ? junkActions.includes(action) : action === argument;
}

const findRspamd = (judged: Case, argument: string) =>
  findFirst(
    judged,
    'rspamd',
    (fact) => fact.kind === 'rspamd' && !isUnknown(fact) && saysRspamd(fact, argument),
  );

export const filterConditions = {
  malware: {
    about: 'ClamAV finds something in it',
    needs: ['filters'],
    find: (judged) => findFirst(judged, 'clamd', isInfected).finding,
    remedy: () => 'it held no malware',
    refusal(judged) {
      const { fact } = findFirst(judged, 'clamd', isInfected);
      const name = fact?.kind === 'clamd' && 'malware' in fact ? fact.malware : undefined;
      return [`Refused: this message holds malware (${(name ?? '').replace(/[^\x20-\x7e]/g, '?')})`];
    },
  },
  milter: {
    about:
      'what a milter wants: reject; discard, quarantine, other-body (it wants to replace the body, which is not done); or junk, any ' +
      'of these three',
    argument: { about: 'what it wants', words: Object.keys(milterTests), example: 'reject' },
    needs: ['filters'],
    find: (judged, argument) => findMilter(judged, argument).finding,
    remedy: (judged, argument) => `the milter ${findMilter(judged, argument).fact?.name} did not object`,
    reply(judged, argument) {
      const { fact } = findMilter(judged, argument);
      return fact?.kind === 'milter' && !isUnknown(fact) && fact.verdict === 'reject'
        ? milterReply(fact)
        : undefined;
    },
  },
  rspamd: {
    about:
      "rspamd's action: reject, soft reject, add header …; junk: add header or another that says spam; or a score, from which on it holds",
    argument: {
      about: 'an action, "junk" or a score',
      isValid: (text) => text === 'junk' || actions.includes(text) || scoreIn(text) !== undefined,
      example: 'reject',
    },
    needs: ['filters'],
    find: (judged, argument) => findRspamd(judged, argument).finding,
    remedy: () => 'rspamd saw less against it',
    refusal(judged, argument) {
      const { fact } = findRspamd(judged, argument);
      const words = fact?.kind === 'rspamd' && 'message' in fact ? fact.message : undefined;
      return [words?.replace(/[^\x20-\x7e]/g, '?') ?? 'Refused: this message looks like spam'];
    },
  },
  'filter-down': {
    about: 'a filter, or that of this name, does not answer',
    argument: {
      about: 'the name of a filter',
      isValid: (text) => /^[a-z\d_-]{1,40}$/i.test(text),
      example: 'clamd',
      optional: true,
    },
    needs: ['filters'],
    find(judged, argument) {
      const silent = filtersIn(judged).find(
        (fact) =>
          isUnknown(fact) && fact.unknown !== 'tooLarge' && (argument === '' || fact.name === argument),
      );
      return silent ? yes(factWords(silent)) : no('every filter answers');
    },
    remedy: (_, argument) => `${argument === '' ? 'every filter' : argument} answered`,
  },
} as const satisfies Record<string, Condition>;
