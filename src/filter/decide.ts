/**
 * What follows from what the filters said: a pure function, and its reason in words. The hardest consequence counts:
 * refusal, deferral, Junk.
 */

import type { Reply } from '../smtp/reply.ts';
import { type FilterFact, isUnknown, type MilterFact, type RspamdFact } from './fact.ts';
import { factWords } from './words.ts';

export interface FilterDecision {
  decision: 'accept' | 'junk' | 'reject' | 'defer';
  /** Which filter decided, and by what. */
  rule: string;
  /** What the client is told; for reject and defer. */
  reply?: Reply;
}

const order = ['accept', 'junk', 'defer', 'reject'] as const;

/** Of several that would do the same, the first one says why. */
export function decideFilters(facts: readonly FilterFact[]): FilterDecision {
  let hardest: FilterDecision = { decision: 'accept', rule: 'no filter objects' };
  for (const fact of facts) {
    const decision = consequenceOf(fact);
    if (order.indexOf(decision.decision) > order.indexOf(hardest.decision)) hardest = decision;
  }
  return hardest;
}

export function consequenceOf(fact: FilterFact): FilterDecision {
  if (isUnknown(fact)) {
    if (fact.unknown === 'tooLarge' || fact.whenDown === 'accept') return accept(factWords(fact));
    return defer(
      `Deferred: ${factWords(fact)}; mail waits for it (whenDown = "defer").`,
      unavailable(fact.name),
    );
  }
  switch (fact.kind) {
    case 'milter':
      return ofMilter(fact);
    case 'rspamd':
      return ofRspamd(fact);
    case 'clamd':
      return fact.malware === undefined
        ? accept(factWords(fact))
        : reject(
            `Refused: ${factWords(fact)}.`,
            say(550, '5.7.1', `Refused: this message holds malware (${ascii(fact.malware)})`),
          );
  }
}

/** What a client is told that a milter turns away; also before there is a message. */
export const milterReply = ({
  verdict,
  reply: own,
  name,
}: Pick<MilterFact, 'verdict' | 'reply' | 'name'>): Reply =>
  own ??
  (verdict === 'reject'
    ? say(550, '5.7.1', `Refused by the mail filter ${name}`)
    : say(451, '4.7.1', `Not taken now by the mail filter ${name}; try again later`));

export const unavailable = (name: string): Reply =>
  say(451, '4.7.1', `The mail filter ${name} does not answer now; try again later`);

function ofMilter(fact: MilterFact): FilterDecision {
  const said = factWords(fact);
  if (fact.verdict === 'reject') return reject(`Refused: ${said}.`, milterReply(fact));
  if (fact.verdict === 'tempfail') return defer(`Deferred: ${said}.`, milterReply(fact));
  if (fact.verdict === 'discard') return junk(`Junk: ${said}.`);
  if (fact.quarantine !== undefined) return junk(`Junk: ${said}.`);
  if (fact.wantsOtherBody)
    return junk(`Junk: ${said}. It had a reason to want another body, and bodies are never changed here.`);
  return accept(said);
}

/** rspamd's own actions; what its rules call otherwise decides nothing. */
function ofRspamd(fact: RspamdFact): FilterDecision {
  const said = factWords(fact);
  const words = ascii(fact.message ?? '');
  switch (fact.action) {
    case 'reject':
      return reject(`Refused: ${said}.`, say(550, '5.7.1', words || 'Refused: this message looks like spam'));
    case 'soft reject':
      return defer(`Deferred: ${said}.`, say(451, '4.7.1', words || 'Not taken now; try again later'));
    case 'add header':
    case 'rewrite subject':
    case 'quarantine':
    case 'discard':
      return junk(`Junk: ${said}.`);
    default:
      return accept(said);
  }
}

/** Replies are ASCII, whatever a filter says. */
const ascii = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?');

const accept = (rule: string): FilterDecision => ({ decision: 'accept', rule });
const junk = (rule: string): FilterDecision => ({ decision: 'junk', rule });
const reject = (rule: string, reply: Reply): FilterDecision => ({ decision: 'reject', rule, reply });
const defer = (rule: string, reply: Reply): FilterDecision => ({ decision: 'defer', rule, reply });
const say = (code: number, enhanced: string, line: string): Reply => ({ code, enhanced, lines: [line] });
