/** What was found out of a message from outside, what was decided over it, and how it was refused, in plain language. */

import { describeFact } from '../filter/words.ts';
import type { EventOf } from './event.ts';
import { senderWords } from './sender-words.ts';
import type { Step } from './step.ts';
import { clientOf, pathOf, pathsOf, plural, why, withDialogue } from './words.ts';

export function describeRefused({ data }: EventOf<'refused'>): Step {
  const { client, from, to, reply, rule, dialogue } = data;
  const isForNow = reply.startsWith('4');
  const details = [
    ...(client === undefined ? [] : [`client: ${clientOf(client)}`]),
    `from ${pathOf(from)}${to.length === 0 ? '' : ` to ${pathsOf(to)}`}`,
    why(rule),
    isForNow
      ? 'the sending server tries again by itself; until then nobody hears of it'
      : 'the sending server was told, so its user hears of it from there',
  ];
  return {
    ...withDialogue(dialogue),
    title: `${isForNow ? 'Asked to come again' : 'Refused'}: ${reply}`,
    details,
    mood: isForNow ? 'waiting' : 'bad',
  };
}

const decisions = {
  accept: 'let it pass',
  junk: 'put it into the Junk folder',
  greylist: 'let the sending server come again, as those do that mean it',
  reject: 'refuse it',
  defer: 'ask the sending server to come back later',
};

export function describeChecked({ data }: EventOf<'checked'>): Step {
  const { authenticationResults, spf, dkim, dmarc, decision, rule, durationMs, facts } = data;
  const field = /^authentication-results:/i.test(authenticationResults)
    ? authenticationResults
    : `Authentication-Results: ${authenticationResults}`;
  return {
    title: `Sender checked in ${durationMs} ms: SPF ${spf}, DKIM ${dkim}, DMARC ${dmarc}`,
    details: [
      ...linesOf(field),
      ...(facts ? senderWords(facts) : []),
      ...(facts?.filters ?? []).map(describeFact),
      `decision: ${decisions[decision]}`,
      why(rule),
    ],
    mood: moodOf(decision),
  };
}

export function describeJudged({ recipient = '?', data }: EventOf<'judged'>): Step {
  const { policy, disposition, folder, rule, scored = [], unknown = [] } = data;
  const end = folder === undefined ? decisions[disposition] : `into ${folder}`;
  return {
    title: `For <${recipient}>, by the policy "${policy}": ${end}`,
    details: [
      why(rule),
      ...scored.map(({ check, score, why: reason }) => `${check} (${score}): ${reason}`),
      ...[...new Set(unknown)].map((reason) => `not known: ${reason.replace(': not known, ', ': ')}`),
    ],
    mood: moodOf(disposition),
  };
}

const moodOf = (decision: keyof typeof decisions): Step['mood'] =>
  decision === 'accept' ? 'good' : decision === 'defer' ? 'waiting' : 'bad';

export function describeFiltered({ data: { filters, decision, rule } }: EventOf<'filtered'>): Step {
  const objection = decision === 'accept' ? [] : [why(rule)];
  return {
    title: `Shown to ${plural(filters.length, 'filter')}`,
    details: [...filters.map(describeFact), ...objection],
    mood: moodOf(decision),
  };
}

/** A folded header field, line by line, as it stands in the message. */
const linesOf = (field: string): string[] => field.trimEnd().split(/\r?\n/);
