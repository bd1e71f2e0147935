/** A judgement in words: for the dossier, for the mailbox's owner, and for the client that is refused or asked to come again. */

import { type Reply, reply } from '../smtp/reply.ts';
import type { Case } from './condition.ts';
import { conditions } from './conditions.ts';
import type { Authentication } from './dmarc-outcome.ts';
import { nothingWords } from './dmarc-words.ts';
import { type Answered, answersOf, type Disposition, type Judged, type Judgement, walk } from './judge.ts';
import type { Policy } from './policy.ts';

/** What is explained: a judgement, and what it was made of. */
export interface Explained {
  policy: Policy;
  judged: Judged;
  judgement: Judgement;
}

const beginnings: Record<Disposition, string> = {
  accept: 'Accepted',
  junk: 'Junk',
  greylist: 'Greylisted',
  reject: 'Refused',
};

/** One or two sentences: what decided, and what would have let it into the Inbox. */
export function ruleWords(explained: Explained): string {
  const { policy, judgement } = explained;
  const { disposition, decidedBy } = judgement;
  const why = decidedBy?.finding.why ?? sumWords(explained);
  const would = disposition === 'accept' ? [] : remedies(explained);
  const later = disposition === 'greylist' ? `or if it came again in ${minutesToWait(explained)}` : '';
  const ending =
    would.length === 0 ? '' : ` It would be in the Inbox if ${would.join(', and ')}${later && `, ${later}`}.`;
  const milder = judgement.isSoftened ? '; not refused, as another recipient takes it' : '';
  const named = policy.name === 'default' ? '' : ` by the policy "${policy.name}"`;
  return `${beginnings[disposition]}${named}: ${why}${milder}.${ending}`;
}

function sumWords({ policy, judged: { facts }, judgement }: Explained): string {
  const { score, scored, disposition } = judgement;
  const parts = scored.map(({ check, finding }) => `${finding.why} (${check.score})`);
  const sum = `the score is ${rounded(score)} of ${policy.junkAt}: ${parts.join('; ')}`;
  if (scored.length > 0 && disposition !== 'accept') return sum;
  const { spf, dkim, dmarc, arc } = facts;
  const isAuthenticated = spf !== undefined && dkim !== undefined && dmarc !== undefined;
  const words = isAuthenticated
    ? nothingWords({ spf, dkim, dmarc, ...(arc && { arc }) } satisfies Authentication)
    : 'no check speaks against it';
  return scored.length === 0 ? words : `${words}; ${sum}`;
}

/** Scores may be fractions, and 0.1 + 0.2 is not 0.3. */
const rounded = (score: number): number => Math.round(score * 100) / 100;

/** So many things may stand in the way of the Inbox before nobody would read on. */
const maxRemedies = 5;

/** What would all have to be otherwise for the message to be accepted; empty where that cannot be said. */
export function remedies({ policy, judged, judgement }: Explained): string[] {
  const flipped: Answered[] = [];
  let now: Pick<Judgement, 'disposition' | 'decidedBy' | 'scored'> = judgement;
  const { answers, judgedCase } = answersOf(policy, judged);
  while (now.disposition !== 'accept') {
    const obstacle = now.decidedBy ?? heaviest(now.scored);
    if (obstacle === undefined || flipped.length === maxRemedies) return [];
    flipped.push(obstacle);
    now = walk(
      policy,
      answers.map((each) => (isOneOf(flipped, each) ? denied(each) : each)),
    );
  }
  const words = flipped.map((each) => remedyOf(judgedCase, each));
  return words.every((text) => text !== undefined) ? [...new Set(words)] : [];
}

const isOneOf = (flipped: readonly Answered[], { check }: Answered): boolean =>
  flipped.some((each) => each.check === check);

const denied = (answered: Answered): Answered => ({
  ...answered,
  finding: { ...answered.finding, holds: 'no' },
});

const heaviest = (scored: readonly Answered[]): Answered | undefined =>
  scored.filter(({ check }) => check.score > 0).sort((one, other) => other.check.score - one.check.score)[0];

const remedyOf = (judged: Case, { check: { when } }: Answered): string | undefined =>
  conditions[when.name].remedy?.(judged, when.argument);

/** What the client is told where every recipient's policy refuses. */
export function refusalReply({ policy, judged, judgement: { decidedBy } }: Explained): Reply {
  const { judgedCase } = answersOf(policy, judged);
  if (decidedBy === undefined)
    return reply(
      550,
      '5.7.1',
      'Refused: too much speaks against this message',
      'Ask its recipient by another way',
    );
  const { when } = decidedBy.check;
  const own = conditions[when.name].reply?.(judgedCase, when.argument);
  if (own !== undefined) return own;
  const lines = conditions[when.name].refusal?.(judgedCase, when.argument);
  return { code: 550, enhanced: '5.7.1', lines: lines ?? [`Refused: ${short(decidedBy.finding.why)}`] };
}

/** What the client is told where a look-up decides, and failed. */
export function deferralReply({ policy, judged, judgement: { open } }: Explained): Reply {
  const { judgedCase } = answersOf(policy, judged);
  const [first] = open;
  const name = first && conditions[first.check.when.name].openName?.(judgedCase, first.check.when.argument);
  const lines = [
    'A DNS look-up that is needed to check the sender failed; please try again later.',
    ...(name === undefined ? [] : [`It concerns ${short(name)}.`]),
  ];
  return { code: 451, enhanced: '4.4.3', lines };
}

/** Why it is asked back, for the dossier. */
export function deferralWords({ judgement: { open, possible } }: Explained): string {
  const ends = { accept: 'the inbox', junk: 'the Junk folder', greylist: 'waiting', reject: 'a refusal' };
  const order: Disposition[] = ['accept', 'junk', 'greylist', 'reject'];
  const choice = order.filter((end) => possible.has(end)).map((end) => ends[end]);
  const why = [...new Set(open.map(({ finding }) => finding.why))].join('; ');
  return `Deferred: ${why}; the answer decides between ${choice.join(' or ')}. The sender tries again.`;
}

export function greylistReply({ judged: { recipient } }: Explained): Reply {
  return reply(451, '4.7.1', `Greylisted: please try again in ${minutesToWait({ judged: { recipient } })}`);
}

function minutesToWait({ judged: { recipient } }: { judged: Pick<Judged, 'recipient'> }): string {
  const minutes = Math.max(1, Math.ceil((recipient.greylist?.waitSeconds ?? 60) / 60));
  return `${minutes} ${minutes === 1 ? 'minute' : 'minutes'}`;
}

/** A reply line has 512 octets (RFC 5321 §4.5.3.1.5). */
const maxReplyText = 480;

function short(text: string): string {
  const line = text.replaceAll(/[^\x20-\x7e]+/g, '?');
  return line.length <= maxReplyText ? line : `${line.slice(0, maxReplyText - 3)}...`;
}
