/**
 * What a policy makes of the facts, for one recipient: a pure function, and its reasons in words. An answer that is not known
 * yet is tried both ways; only where the ends differ is the message asked back.
 */

import type { Case, Finding } from './condition.ts';
import { conditions, spell } from './conditions.ts';
import { type Authentication, type DmarcOutcome, dmarcOutcomes, possibleOutcomes } from './dmarc-outcome.ts';
import type { FactName, Facts } from './facts.ts';
import type { Check, Policy } from './policy.ts';

export type Disposition = 'accept' | 'junk' | 'greylist' | 'reject';

export interface JudgeOptions {
  /**
   * `envelope`: before the message is here; what only it can tell is open. `message`: all is there that will be. `given up`: as
   * `message`, but what is open has been open for too long, and counts as one that does not hold.
   */
  stage: 'envelope' | 'message' | 'given up';
}

/** A check that was answered, and how. */
export interface Answered {
  check: Check;
  finding: Finding;
}

export interface Judgement {
  /** All that are possible: one where everything is known that matters. */
  possible: ReadonlySet<Disposition>;
  /** With what is open counting as not holding. */
  disposition: Disposition;
  /** It would be refused, and is Junk, as another recipient takes the message. */
  isSoftened?: true;
  /** The check that decided; absent: the sum of the scores. */
  decidedBy?: Answered;
  score: number;
  /** The checks that held and scored, in order. */
  scored: readonly Answered[];
  /** Those on whose answer it depends. */
  open: readonly Answered[];
  /** Those that could not be answered at all. */
  unknown: readonly Answered[];
}

export type Judged = Omit<Case, 'dmarc'>;

export function judge(policy: Policy, judged: Judged, { stage }: JudgeOptions): Judgement {
  const answers = dmarcWorlds(judged.facts, stage).map((dmarc) =>
    answersIn(policy, { ...judged, dmarc }, stage),
  );
  const possible = new Set(answers.flatMap((each) => [...dispositionsOf(policy, each)]));
  // Where look-ups failed, that world counts in which the least is held against the message.
  const [settled = []] = answers;
  return {
    possible,
    ...walk(policy, settled),
    open: openOf(answers),
    unknown: settled.filter(({ finding }) => finding.holds === 'unknown'),
  };
}

const answersIn = (policy: Policy, judged: Case, stage: JudgeOptions['stage']): Answered[] =>
  policy.checks.map((check) => ({ check, finding: answer(judged, check, stage) }));

/** What every check says in the mildest of the possible cases, once all is there. */
export function answersOf(policy: Policy, judged: Judged): { judgedCase: Case; answers: Answered[] } {
  const [dmarc = 'nothing'] = dmarcWorlds(judged.facts, 'message');
  const judgedCase = { ...judged, dmarc };
  return { judgedCase, answers: answersIn(policy, judgedCase, 'message') };
}

/** Sorted from the mildest on. */
function dmarcWorlds(facts: Facts, stage: JudgeOptions['stage']): DmarcOutcome[] {
  if (!hasAuthentication(facts)) return ['nothing'];
  const possible = possibleOutcomes(facts);
  const sorted = dmarcOutcomes.filter((outcome) => possible.has(outcome));
  // Facts that contradict each other leave none; they are judged all the same.
  if (sorted.length === 0) return ['nothing'];
  return stage === 'given up' ? sorted.slice(0, 1) : sorted;
}

const hasAuthentication = (facts: Facts): facts is Facts & Authentication =>
  facts.spf !== undefined && facts.dkim !== undefined && facts.dmarc !== undefined;

export function answer(judged: Case, { when, then }: Check, stage: JudgeOptions['stage']): Finding {
  const condition = conditions[when.name];
  const missing = condition.needs.filter((name) => !isThere(judged, name));
  if (missing.length > 0) {
    const why = `${spell(when)} needs what is not recorded: ${missing.join(', ')}`;
    return { holds: stage === 'envelope' ? 'open' : 'unknown', why };
  }
  const finding = condition.find(judged, when.argument);
  if (stage === 'given up' && finding.holds === 'open') return { ...finding, holds: 'no' };
  return then === 'greylist' ? afterWaiting(finding, judged, stage) : finding;
}

/** Who has waited is let in by a check that greylists, and the next one is asked. */
function afterWaiting(finding: Finding, { recipient }: Case, stage: JudgeOptions['stage']): Finding {
  if (finding.holds === 'no' || finding.holds === 'unknown') return finding;
  const { greylist } = recipient;
  if (greylist === undefined)
    return {
      holds: stage === 'envelope' ? 'open' : 'unknown',
      why: 'it is not recorded whether it has waited',
    };
  return greylist.passed
    ? { holds: 'no', why: greylist.why }
    : { ...finding, why: `${finding.why}; ${greylist.why}` };
}

// Asked for every check of every recipient: nothing is copied for it. Each name is of one of the two.
const isThere = ({ facts, recipient }: Case, name: FactName): boolean =>
  (facts as Partial<Record<FactName, unknown>>)[name] !== undefined ||
  (recipient as Partial<Record<FactName, unknown>>)[name] !== undefined;

/** Every end that the open answers allow for. A check that is met again with the same sum is not followed twice. */
function dispositionsOf(policy: Policy, answers: readonly Answered[]): Set<Disposition> {
  const found = new Set<Disposition>();
  const seen = new Set<string>();
  const follow = (from: number, sum: number): void => {
    const key = `${from} ${sum}`;
    if (seen.has(key)) return;
    seen.add(key);
    const next = answers[from];
    if (next === undefined) return void found.add(bySum(policy, sum));
    const { then, score } = next.check;
    const { holds } = next.finding;
    if (holds === 'yes' || holds === 'open') {
      if (then === 'score') follow(from + 1, sum + score);
      else found.add(then);
    }
    if (holds !== 'yes') follow(from + 1, sum);
  };
  follow(0, 0);
  return found;
}

type Walked = Pick<Judgement, 'disposition' | 'decidedBy' | 'score' | 'scored'>;

/** The one way through where nothing is open. */
export function walk(policy: Policy, answers: readonly Answered[]): Walked {
  const scored: Answered[] = [];
  let score = 0;
  for (const answered of answers) {
    const { check, finding } = answered;
    if (finding.holds !== 'yes') continue;
    if (check.then !== 'score') return { disposition: check.then, decidedBy: answered, score, scored };
    score += check.score;
    scored.push(answered);
  }
  return { disposition: bySum(policy, score), score, scored };
}

function bySum({ junkAt, rejectAt = Number.POSITIVE_INFINITY }: Policy, sum: number): Disposition {
  if (sum >= rejectAt) return 'reject';
  return sum >= junkAt ? 'junk' : 'accept';
}

/** A check whose answer differs from world to world is as open as one that says so itself. */
function openOf(worlds: readonly (readonly Answered[])[]): Answered[] {
  const [first = [], ...others] = worlds;
  return first.filter(
    ({ finding }, at) =>
      finding.holds === 'open' || others.some((other) => other[at]?.finding.holds !== finding.holds),
  );
}
