/**
 * What a receiver's answer to RCPT says of the address that was asked about (M11): a table, each line with its source; the
 * first line that fits decides. Only what is clearly about the address counts against it: a refusal of ourselves, a refusal
 * for now, and words that could mean either say nothing about it.
 */

import type { Verdict } from '../../smtp/client-verdict.ts';
import type { Reply } from '../../smtp/reply.ts';
import { meaningOf, soundsLikeGreylisting, wordsOf } from '../replies/reply-meaning.ts';

export interface CalloutRule {
  codes?: readonly number[];
  enhanced?: RegExp;
  words?: RegExp;
  /** `no`: there is no such address. `unclear`: it says nothing about the address. */
  says: 'no' | 'unclear';
  meaning: string;
  source: string;
}

export const calloutRules: readonly CalloutRule[] = [
  {
    words:
      /block ?list|black ?list|spamhaus|spamcop|barracuda|\blisted (?:at|by|in|on)\b|reputation|\bDNSBL\b|\bRBL\b|blocked/i,
    says: 'unclear',
    meaning: 'it refuses us, by a block list or our reputation',
    source: 'Postfix reject_rbl_client, Exim dnslists, Microsoft 5.7.606',
  },
  {
    words:
      /\bPTR\b|reverse (?:DNS|hostname|name|lookup)|\brDNS\b|helo command rejected|client host rejected/i,
    says: 'unclear',
    meaning: 'it refuses us, by our name or address',
    source: 'Postfix reject_unknown_client_hostname, reject_unknown_helo_hostname, check_client_access',
  },
  {
    words:
      /sender (?:address )?(?:rejected|verif|denied|unknown)|null (?:envelope )?sender|empty (?:envelope )?sender|bounces? (?:is|are|not)/i,
    says: 'unclear',
    meaning: 'it minds the null sender',
    source: 'Postfix check_sender_access; BATV and backscatter filters that refuse MAIL FROM:<>',
  },
  {
    enhanced: /^5\.1\.[78]$/,
    says: 'unclear',
    meaning: 'it minds the null sender',
    source: 'RFC 3463 §3.2: bad sender address',
  },
  {
    enhanced: /^5\.4\.1$/,
    words: /recipient address rejected/i,
    says: 'no',
    meaning: 'there is no such address',
    source: 'Microsoft: "550 5.4.1 Recipient address rejected: Access denied", directory based edge blocking',
  },
  {
    words:
      /relay(?:ing)? (?:access )?(?:is )?(?:denied|not permitted|not allowed|prohibited)|unable to relay|not permitted to relay/i,
    says: 'no',
    meaning: 'it takes no mail for this domain',
    source: 'S1: "550 Relaying denied"; Postfix "Relay access denied", Exim "relay not permitted", Microsoft',
  },
  {
    enhanced: /^5\.2\.2$/,
    says: 'unclear',
    meaning: 'the mailbox is there, and full',
    source: 'RFC 3463 §3.3',
  },
  {
    words: /quota|mailbox (?:is )?full|out of storage|exceeded storage/i,
    says: 'unclear',
    meaning: 'the mailbox is there, and full',
    source: 'S2: "552 Requested mail action aborted: exceeded storage allocation"; Dovecot, Gmail',
  },
  {
    codes: [552],
    says: 'unclear',
    meaning: 'it has no room for now',
    source: 'RFC 5321 §4.5.3.1.10',
  },
  {
    enhanced: /^5\.1\.(?:0|1|2|3|4|6|10)$/,
    says: 'no',
    meaning: 'there is no such address',
    source: 'RFC 3463 §3.2, RFC 7505 §4.1',
  },
  {
    enhanced: /^5\.2\.1$/,
    says: 'no',
    meaning: 'the mailbox is disabled',
    source: 'RFC 3463 §3.3',
  },
  {
    enhanced: /^5\.7\./,
    says: 'unclear',
    meaning: 'a policy refuses it, which may be about us',
    source: 'RFC 3463 §3.8',
  },
  {
    words:
      /(?:no such|unknown|invalid|non-?existent|unrouteable) (?:user|recipient|mailbox|address|account|local part)|(?:user|recipient|mailbox|address|account)s? (?:is |was |has been )?(?:unknown|not found|unavailable|invalid|disabled|inactive|suspended)|(?:user|recipient|mailbox|address|account) (?:\S+ )?(?:does not|doesn't) exist|not a valid (?:user|recipient|mailbox|address)|no (?:mailbox|account) (?:here )?by that name|not (?:a )?local/i,
    says: 'no',
    meaning: 'there is no such address',
    source:
      'Sendmail "User unknown", Exim "Unrouteable address", qmail "no mailbox here by that name", RFC 5321 §4.2.3',
  },
  {
    codes: [551, 553, 556],
    says: 'no',
    meaning: 'there is no such address',
    source: 'RFC 5321 §4.2.3: not local, not allowed; RFC 7504 §5: does not accept mail',
  },
];

export type CalloutMeaning = { says: 'yes' } | { says: 'no' | 'unclear'; meaning: string };

/** What a question came to. */
export function meaningOfCallout(verdict: Verdict): CalloutMeaning {
  switch (verdict.by) {
    case 'reply':
      return verdict.phase === 'sending RCPT TO' ? ofRcpt(verdict.reply) : ofEarlier(verdict.reply);
    case 'connection':
      return unclear(`the connection failed: ${verdict.error.message}`);
    case 'policy':
      return unclear(`TLS is not what its policy wants: ${verdict.fault.reason}`);
    case 'extension':
      return { says: 'no', meaning: verdict.reason };
  }
}

function ofRcpt(reply: Reply): CalloutMeaning {
  const { code } = reply;
  if (code === 250 || code === 251) return { says: 'yes' };
  if (code === 252) return unclear('it takes the mail, but does not say whether there is such an address');
  if (code < 500) return unclear(temporary(reply));
  const text = wordsOf(reply);
  if (soundsLikeGreylisting(text)) return unclear('it is greylisting, in disguise');
  const rule = calloutRules.find((each) => fits(each, reply, text));
  return rule ?? unclear('it refuses, and does not say clearly that there is no such address');
}

const temporary = (reply: Reply): string =>
  meaningOf(reply)?.meaning === 'greylisting'
    ? 'it is greylisting: it refuses strangers for a while, whatever the address'
    : 'it refuses for now (4xx), which says nothing about the address';

const ofEarlier = ({ code }: Reply): CalloutMeaning =>
  unclear(code < 500 ? 'it refuses us for now, before it was asked' : 'it refuses us, before it was asked');

const unclear = (meaning: string): CalloutMeaning => ({ says: 'unclear', meaning });

function fits({ codes, enhanced, words }: CalloutRule, reply: Reply, text: string): boolean {
  return (
    (codes === undefined || codes.includes(reply.code)) &&
    (enhanced === undefined || enhanced.test(reply.enhanced ?? '')) &&
    (words === undefined || words.test(text))
  );
}
