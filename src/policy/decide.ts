/**
 * What becomes of a message that is for several people, each with a policy of their own: it is refused only where every one
 * refuses it, else whoever would refuse it finds it in Junk. SMTP has one reply for all (RFC 5321 §4.2.5).
 */

import { consequenceOf } from '../filter/decide.ts';
import type { Reply } from '../smtp/reply.ts';
import * as explain from './explain.ts';
import { type Disposition, type Judged, type Judgement, type JudgeOptions, judge } from './judge.ts';
import type { Policy } from './policy.ts';

/** One recipient. */
export interface Addressee {
  policy: Policy;
  judged: Judged;
}

/** What becomes of one recipient's copy. */
export interface Ruling extends Addressee {
  judgement: Judgement;
  /** `defer`: the message is asked back, so that nothing becomes of it yet. */
  disposition: Disposition | 'defer';
  /** If it is taken. */
  folder: 'Inbox' | 'Junk';
  /** In words. */
  rule: string;
}

export interface Decision {
  decision: 'accept' | 'junk' | 'greylist' | 'reject' | 'defer';
  /** In words; only what holds for all recipients, as each of them may read it. */
  rule: string;
  /** What the client is told; absent where the message is taken. */
  reply?: Reply;
  /** Deferred because somebody asks for that, and not only until we know more: for as long as they do. */
  isAsked?: true;
  /** In the order of the recipients. */
  rulings: readonly Ruling[];
}

type Judging = Addressee & { judgement: Judgement };

export function decide(addressees: readonly Addressee[], options: JudgeOptions): Decision {
  const each = addressees.map((addressee) => ({
    ...addressee,
    judgement: judge(addressee.policy, addressee.judged, options),
  }));
  const softened = each.every(mayBeTurnedAway) ? each : each.map((one) => soften(one, options));
  const undecided = softened.find(({ judgement }) => judgement.possible.size > 1);
  if (undecided && options.stage === 'message') return deferred(softened, undecided);
  const waiting = softened.find(({ judgement }) => judgement.disposition === 'greylist');
  const [first] = softened;
  if (first && softened.every(isTurnedAway)) return turnedAway(softened, waiting ?? first);
  return (first && askedBack(softened, first)) ?? taken(softened);
}

/** Before the message is here: refuses one recipient where nothing that the message may bring could change that. */
export function refuseEarly({ policy, judged }: Addressee): (Decision & { reply: Reply }) | undefined {
  const judgement = judge(policy, judged, { stage: 'envelope' });
  const { possible } = judgement;
  if (possible.has('accept') || possible.has('junk')) return undefined;
  const one = { policy, judged, judgement };
  const disposition = possible.has('greylist') ? ('greylist' as const) : ('reject' as const);
  return turnedAway([one], { ...one, judgement: { ...judgement, disposition } });
}

const mayBeTurnedAway = ({ judgement: { possible } }: Judging): boolean =>
  possible.has('reject') || possible.has('greylist');

const isTurnedAway = ({ judgement: { disposition } }: Judging): boolean =>
  disposition === 'reject' || disposition === 'greylist';

/** Somebody gets the message, so nobody can be refused it: Junk instead, and no waiting. */
function soften(one: Judging, options: JudgeOptions): Judging {
  const { possible } = one.judgement;
  if (possible.has('greylist')) {
    const greylist = { passed: true, why: 'another recipient of the same message takes it at once' };
    const judged = { ...one.judged, recipient: { ...one.judged.recipient, greylist } };
    return soften({ ...one, judged, judgement: judge(one.policy, judged, options) }, options);
  }
  const toJunk = (end: Disposition): Disposition => (end === 'reject' ? 'junk' : end);
  const disposition = toJunk(one.judgement.disposition);
  return {
    ...one,
    judgement: {
      ...one.judgement,
      disposition,
      possible: new Set([...possible].map(toJunk)),
      ...(disposition !== one.judgement.disposition && { isSoftened: true }),
    },
  };
}

function deferred(all: readonly Judging[], undecided: Judging): Decision {
  const explained = explainedOf(undecided);
  return {
    decision: 'defer',
    rule: explain.deferralWords(explained),
    reply: explain.deferralReply(explained),
    rulings: all.map((one) => ({
      ...rulingOf(one),
      disposition: 'defer',
      rule: one.judgement.possible.size > 1 ? explain.deferralWords(explainedOf(one)) : otherWaits,
    })),
  };
}

/** Whose it is, is not theirs to know. */
const otherWaits =
  'Deferred: for another recipient of the same message it is not known yet what becomes of it.';

/** A filter that cannot be asked, or wants to see it later, is the operator's word; no policy of a recipient's is above it. */
function askedBack(all: readonly Judging[], { judged: { facts } }: Judging): Decision | undefined {
  const later = facts.filters?.map(consequenceOf).find(({ decision }) => decision === 'defer');
  if (later?.reply === undefined) return undefined;
  const { rule, reply } = later;
  return {
    decision: 'defer',
    rule,
    reply,
    isAsked: true,
    rulings: all.map((one) => ({ ...rulingOf(one), disposition: 'defer', rule })),
  };
}

function turnedAway(all: readonly Judging[], decisive: Judging): Decision & { reply: Reply } {
  const explained = explainedOf(decisive);
  const waits = decisive.judgement.disposition === 'greylist';
  const rulings = all.map(rulingOf);
  const differ = rulings.some(({ rule }) => rule !== rulings[0]?.rule);
  return {
    decision: waits ? 'greylist' : 'reject',
    rule: differ ? 'no recipient takes it, each for a reason of its own' : explain.ruleWords(explained),
    reply: waits ? explain.greylistReply(explained) : explain.refusalReply(explained),
    rulings,
  };
}

function taken(all: readonly Judging[]): Decision {
  const rulings = all.map(rulingOf);
  const rules = new Set(rulings.map(({ rule }) => rule));
  const [only = 'nobody is to get it'] = rules;
  return {
    decision: rulings.length > 0 && rulings.every(({ folder }) => folder === 'Junk') ? 'junk' : 'accept',
    rule: rules.size <= 1 ? only : 'each recipient has a policy that decides for itself',
    rulings,
  };
}

const explainedOf = ({ policy, judged, judgement }: Judging): explain.Explained => ({
  policy,
  judged,
  judgement,
});

function rulingOf(one: Judging): Ruling {
  const { policy, judged, judgement } = one;
  const folder = judgement.disposition === 'accept' ? 'Inbox' : 'Junk';
  const { disposition } = judgement;
  return { policy, judged, judgement, disposition, folder, rule: explain.ruleWords(explainedOf(one)) };
}
