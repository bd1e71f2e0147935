/**
 * Which refusals for good (5xx) may heal, and which are about our IPv6 address and not about the message: a table, each
 * line with its source and tested by itself. The first line that fits decides; where none does, a 5xx is final
 * (RFC 5321 §4.2.1). Read by classify.ts.
 */

import type { Phase } from '../../smtp/client-verdict.ts';
import type { Reply } from '../../smtp/reply.ts';
import { wordsOf } from './reply-meaning.ts';

/**
 * What becomes of a 5xx. `strict`: it is final, whatever it says (RFC 5321 to the letter). `careful`: final, but for the
 * lines below. `never`: tried again until the message's time is over.
 */
export type PermanentFailures = 'strict' | 'careful' | 'never';

export interface FailureRule {
  /** Absent: any code that the action is about. */
  codes?: readonly number[];
  enhanced?: RegExp;
  words?: RegExp;
  phase?: Phase;
  /** What it says, for the dossier and the sender. */
  meaning: string;
  /**
   * `final`: given up, whatever later lines say. `heals`: a few more attempts. `IPv4`: the same message at once over
   * IPv4, if this was over IPv6.
   */
  action: 'final' | 'heals' | 'IPv4';
  /** Who answers so, or says that it is to be read so. */
  source: string;
}

export const failureRules: readonly FailureRule[] = [
  {
    words:
      /block ?list|black ?list|spamhaus|spamcop|barracuda|\blisted (?:at|by|in|on)\b|reputation|\bDNSBL\b|\bRBL\b/i,
    meaning: 'our reputation, or a block list',
    action: 'final',
    source: 'design: to change the address is what senders of spam do',
  },
  {
    words: /\b(?:spam|virus|malware|phishing)\b|\bcontent\b|unsolicited/i,
    meaning: 'the content',
    action: 'final',
    source: 'design: the same content is refused at every address',
  },
  {
    words: /IPv6(?=.*(?:\bPTR\b|reverse|authenti|\bSPF\b|\bDKIM\b))/i,
    meaning: 'our IPv6 address has no reverse name, or is not authorised',
    action: 'IPv4',
    source:
      'Gmail: "does not meet IPv6 sending guidelines regarding PTR records and authentication"; Microsoft 5.7.25, 5.7.26',
  },
  {
    enhanced: /^[45]\.7\.25$/,
    meaning: 'our address has no confirmed reverse name',
    action: 'IPv4',
    source: 'RFC 7372 §3.3, Gmail, Postfix reject_unknown_client_hostname',
  },
  {
    words:
      /does not have a PTR record|no (?:PTR|reverse DNS|rDNS)\b|cannot find your (?:reverse )?hostname|missing (?:PTR|reverse)/i,
    meaning: 'our address has no reverse name',
    action: 'IPv4',
    source: 'Gmail before 5.7.25, Postfix before 3.0, Exim verify = reverse_host_lookup',
  },
  {
    enhanced: /^[45]\.7\.2[346]$/,
    meaning: 'our address is not authorised to send for this domain',
    action: 'IPv4',
    source: 'RFC 7372 §3.2 and §3.4: SPF has often been written with IPv4 alone in mind',
  },
  {
    enhanced: /^5\.(?:3\.4|2\.3)$/,
    meaning: 'the message is too large',
    action: 'final',
    source: 'RFC 3463 §3.3, §3.4',
  },
  {
    enhanced: /^5\.2\.2$/,
    meaning: 'the mailbox is full',
    action: 'heals',
    source: 'RFC 3463 §3.3',
  },
  {
    words:
      /(?:mailbox|inbox|account|user)(?:'s)? (?:is |has )?(?:full|over ?quota|exceeded)|over (?:its |his |the )?(?:disk )?quota|quota (?:is |has been |was )?exceeded|exceed(?:s|ed|ing)? (?:mailbox |disk |storage )*(?:quota|allocation)|out of storage space/i,
    meaning: 'the mailbox is full',
    action: 'heals',
    source:
      'S2: "552 Requested mail action aborted: exceeded storage allocation"; Dovecot, Exim, Zimbra, Gmail',
  },
  {
    codes: [552],
    phase: 'sending RCPT TO',
    meaning: 'no room for now: a 552 to RCPT means 452',
    action: 'heals',
    source: 'RFC 5321 §4.5.3.1.10',
  },
  {
    words: /gr[ea]y[- ]?list/i,
    meaning: 'greylisting in disguise',
    action: 'heals',
    source: 'greylisting filters behind gateways that turn every refusal into a 5xx',
  },
  {
    words:
      /\b(?:try|retry|come back)(?: it)?(?: again)?(?: a (?:bit|little))? (?:later|(?:in|after) (?:a few|\d+))/i,
    meaning: 'it asks to be tried again: greylisting in disguise',
    action: 'heals',
    source: 'the words of greylisting filters (reply-meaning.ts) with a code that is not theirs',
  },
];

/** The line that decides about a refusal which came from `address`; of a 4xx, only whether to go over to IPv4. */
export function findFailureRule(phase: Phase, reply: Reply, address: string): FailureRule | undefined {
  const text = wordsOf(reply);
  const rule = failureRules.find(
    (each) => fits(each, phase, reply, text) && (each.action !== 'IPv4' || isIpv6(address)),
  );
  if (rule?.action === 'final') return undefined;
  return reply.code >= 500 || rule?.action === 'IPv4' ? rule : undefined;
}

export const isIpv6 = (address: string): boolean => address.includes(':');

function fits(rule: FailureRule, phase: Phase, reply: Reply, text: string): boolean {
  return (
    (rule.codes === undefined || rule.codes.includes(reply.code)) &&
    (rule.enhanced === undefined || rule.enhanced.test(reply.enhanced ?? '')) &&
    (rule.words === undefined || rule.words.test(text)) &&
    (rule.phase === undefined || rule.phase === phase)
  );
}
