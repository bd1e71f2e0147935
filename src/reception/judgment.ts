/** What the policies made of a message, and how it is told: in the dossier, and in the header field that the recipient sees. */

import type { DossierEvent } from '../dossier/event.ts';
import { spell } from '../policy/conditions.ts';
import type { Decision, Ruling } from '../policy/decide.ts';
import type { Facts } from '../policy/facts.ts';

export interface Judgment {
  facts: Facts;
  decision: Decision;
  /** It was asked back for hours; what was open counts as none. */
  givenUp?: true;
}

/** What each recipient's policy made of it, for its dossier. */
export function judgedEvents(queueId: string, at: number, rulings: readonly Ruling[]): DossierEvent[] {
  const distinct = new Map(rulings.map((ruling) => [ruling.judged.recipient.recipient, ruling]));
  return [...distinct].map(([recipient, ruling]) => ({
    at,
    queueId,
    recipient,
    event: 'judged',
    data: judgedData(ruling),
  }));
}

function judgedData({ policy, judged, judgement, disposition, folder, rule }: Ruling) {
  const { recipient: _, ...found } = judged.recipient;
  const { score, scored, unknown } = judgement;
  return {
    policy: policy.name,
    disposition,
    ...((disposition === 'accept' || disposition === 'junk') && { folder }),
    rule,
    ...(scored.length > 0 && {
      score,
      scored: scored.map(({ check, finding: { why } }) => ({
        check: spell(check.when),
        score: check.score,
        why,
      })),
    }),
    ...(unknown.length > 0 && { unknown: [...new Set(unknown.map(({ finding: { why } }) => why))] }),
    ...(Object.keys(found).length > 0 && { facts: found }),
  };
}

/** For the header field that the recipient sees: printable ASCII, of bounded length. */
const longestVerdict = 900;

export function verdictText({ policy, folder, judgement: { score }, rule }: Ruling): string {
  const sum = score === 0 ? '' : `; score=${Math.round(score * 100) / 100}`;
  const text = `${folder}; policy=${policy.name}${sum}; ${rule}`.replaceAll(/[^\x20-\x7e]+/g, '?');
  return text.length <= longestVerdict ? text : `${text.slice(0, longestVerdict - 3)}...`;
}
