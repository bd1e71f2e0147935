/**
 * Which refusals of a recipient say that there is nobody of that name: a table, each line with its source and tested by
 * itself. What refuses us, our content or our address is none, whatever code it bears (failure-rules.ts).
 */

import type { Phase } from '../../smtp/client-verdict.ts';
import { type Reply, replyText } from '../../smtp/reply.ts';
import type { Trouble } from '../outcome.ts';

export interface NoSuchUserRule {
  enhanced?: RegExp;
  codes?: readonly number[];
  words?: RegExp;
  source: string;
}

const noSuchUserRules: readonly NoSuchUserRule[] = [
  { enhanced: /^5\.1\.1$/, source: 'RFC 3463 §3.2: bad destination mailbox address' },
  { enhanced: /^5\.1\.6$/, source: 'RFC 3463 §3.2: the mailbox has moved, and nobody knows where to' },
  { enhanced: /^5\.1\.10$/, source: 'Exchange Online: "RESOLVER.ADR.RecipientNotFound"; RFC 7505 §4.2' },
  {
    codes: [550, 551, 553],
    words:
      /\b(?:no such|unknown|invalid) (?:user|recipient|mailbox|address)\b|\b(?:user|recipient|mailbox|address)(?: is)? (?:unknown|not found|does ?n[o']t exist|unavailable or does not exist)\b|does not have an? (?:\S+ )?account|\bnot a (?:known|valid) (?:user|mailbox)\b/i,
    source: 'Postfix, Exim, qmail, Sendmail and others where no enhanced code is given',
  },
];

/** About us or about the message, though many say so with a code for the recipient. */
const somethingElse =
  /spam|virus|block|black|reputation|\bpolicy\b|\bdenied\b|content|\bSPF\b|\bDKIM\b|\bDMARC\b|relay|spamhaus|\bDNSBL\b|\bRBL\b/i;

const phase: Phase = 'sending RCPT TO';

/** Of a final refusal: at RCPT alone, since what is said later is said of all recipients at once. */
export function saysNoSuchUser({ phase: spokenIn, reply }: Pick<Trouble, 'phase' | 'reply'>): boolean {
  if (reply === undefined || reply.code < 500 || spokenIn !== phase) return false;
  const text = replyText(reply);
  return !somethingElse.test(text) && noSuchUserRules.some((rule) => fits(rule, reply, text));
}

function fits({ enhanced, codes, words }: NoSuchUserRule, reply: Reply, text: string): boolean {
  if (enhanced !== undefined) return enhanced.test(reply.enhanced ?? '');
  return reply.enhanced === undefined && (codes?.includes(reply.code) ?? true) && (words?.test(text) ?? true);
}
