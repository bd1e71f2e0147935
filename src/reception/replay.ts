/**
 * What other policies would have made of a message of the past: its stored facts, judged anew. What was not recorded stays
 * unknown, and is told where it matters; nothing is looked up.
 */

import type { DossierEvent } from '../dossier/event.ts';
import { type Addressee, decide, refuseEarly } from '../policy/decide.ts';
import type { Facts } from '../policy/facts.ts';
import { judge } from '../policy/judge.ts';
import type { Recipient } from '../queue/directory.ts';
import type { Policies } from './policies.ts';

/** How it ended for one recipient. */
export type End = 'Inbox' | 'Junk' | 'refused' | 'greylisted' | 'deferred';

export interface Difference {
  queueId: string;
  at: number;
  from: string;
  recipient: string;
  before: End;
  /** `unknown`: it depends on what was not recorded. */
  after: End | 'unknown';
  /** Of the new judgement, in words. */
  rule: string;
}

export interface Replayed {
  /** Recipients that were judged anew. */
  recipients: number;
  differences: Difference[];
}

type EventOf<Name> = DossierEvent & { event: Name };
type Judged = EventOf<'judged'>;

/** `events` are those of one message, or of one recipient who was turned away at RCPT. */
export async function replay(events: readonly DossierEvent[], policies: Policies): Promise<Replayed> {
  const judged = [...new Map(events.filter(isJudged).map((event) => [event.recipient, event])).values()];
  const found = factsIn(events);
  if (found === undefined || judged.length === 0) return { recipients: 0, differences: [] };
  const addressees = await Promise.all(
    judged.map(async ({ recipient = '', data }): Promise<Addressee> => {
      const { policy, lists } = await policies.of(recipientOf(recipient, data.folder, events));
      return { policy, judged: { facts: found.facts, recipient: { recipient, ...data.facts }, lists } };
    }),
  );
  const ends = found.early ? earlyEnds(addressees) : endsOf(addressees, found.stage);
  const differences = judged.flatMap((event, index): Difference[] => {
    const [before, end] = [endBefore(event, found.checked), ends[index]];
    if (end === undefined) return [];
    const isUnknown =
      end.after === 'unknown' || end.missing.some((why) => !event.data.unknown?.includes(why));
    const after = isUnknown ? 'unknown' : end.after;
    if (before === after) return [];
    const { queueId, at, recipient = '' } = event;
    const rule = isUnknown ? end.missing.join('; ') : end.rule;
    return [{ queueId, at, from: found.facts.reversePath, recipient, before, after, rule }];
  });
  return { recipients: judged.length, differences };
}

const isJudged = (event: DossierEvent): event is Judged => event.event === 'judged';

interface Found {
  facts: Facts;
  /** It was turned away at RCPT, before the message was here. */
  early: boolean;
  stage: 'message' | 'given up';
  checked: EventOf<'checked'> | undefined;
}

/** Facts of another version are those of a server that is newer or much older: nothing is said of them. */
const isReadable = (facts: Facts | undefined): facts is Facts => facts?.version === 1;

function factsIn(events: readonly DossierEvent[]): Found | undefined {
  for (const event of events) {
    if (event.event === 'checked' && isReadable(event.data.facts))
      return {
        facts: event.data.facts,
        early: false,
        stage: event.data.givenUp ? 'given up' : 'message',
        checked: event,
      };
    if (event.event === 'refused' && isReadable(event.data.facts))
      return { facts: event.data.facts, early: true, stage: 'message', checked: undefined };
  }
  return undefined;
}

/** As it was resolved then: the account, or an address elsewhere on behalf of one of ours. */
function recipientOf(
  address: string,
  folder: 'Inbox' | 'Junk' | undefined,
  events: readonly DossierEvent[],
): Recipient {
  const redirected = events.find(
    (event): event is EventOf<'redirected'> => event.event === 'redirected' && event.recipient === address,
  );
  return {
    kind: folder === undefined && redirected ? 'remote' : 'local',
    address,
    destination: '',
    ...(redirected && { redirected: redirected.data }),
  };
}

const endOfDecision = { reject: 'refused', greylist: 'greylisted', defer: 'deferred' } as const;

function endBefore({ data }: Judged, checked: EventOf<'checked'> | undefined): End {
  const decision = checked?.data.decision;
  if (decision === 'reject' || decision === 'greylist' || decision === 'defer')
    return endOfDecision[decision];
  const { disposition, folder = 'Inbox' } = data;
  if (checked === undefined) return disposition === 'greylist' ? 'greylisted' : 'refused';
  return folder;
}

interface NewEnd {
  after: End | 'unknown';
  rule: string;
  /** What would have to be known, and is not. */
  missing: readonly string[];
}

function endsOf(addressees: readonly Addressee[], stage: Found['stage']): NewEnd[] {
  const { decision, rule, rulings } = decide(addressees, { stage });
  return addressees.map((addressee, index) => {
    const ruling = rulings[index];
    const isWhole = decision === 'reject' || decision === 'greylist' || decision === 'defer';
    return {
      after: isWhole ? endOfDecision[decision] : (ruling?.folder ?? 'Inbox'),
      rule: isWhole ? rule : (ruling?.rule ?? rule),
      missing: missingFor(addressee),
    };
  });
}

/** Of the checks without an answer those on which the end depends; as open as they were before the message came. */
function missingFor({ policy, judged }: Addressee): string[] {
  const { unknown } = judge(policy, judged, { stage: 'message' });
  if (unknown.length === 0 || judge(policy, judged, { stage: 'envelope' }).possible.size === 1) return [];
  return unknown.map(({ finding: { why } }) => why);
}

/** Whoever would be let in now sends a message that nobody has seen. */
const earlyEnds = (addressees: readonly Addressee[]): NewEnd[] =>
  addressees.map((addressee) => {
    const refusal = refuseEarly(addressee);
    if (refusal === undefined)
      return {
        after: 'unknown',
        rule: '',
        missing: ['it would be let in, and the message itself did not come'],
      };
    const after = refusal.decision === 'greylist' ? 'greylisted' : 'refused';
    return { after, rule: refusal.rule, missing: [] };
  });
