/** Conditions over the client, and over what it says before the message. */

import { type Condition, no, open, unknown, yes } from '../condition.ts';
import type { Facts, ListFact } from '../facts.ts';
import { fitsCodes, isListArgument, readListArgument } from '../list-codes.ts';

const heloWords = ['bad', 'ours', 'malformed', 'missing'] as const;

/** Whether an entry speaks against somebody or for them is the policy's to say; what is asked is the same. */
function listCondition(fact: 'dnsbl' | 'rhsbl', about: string, remedy: string): Condition {
  const found = (facts: Facts, argument: string): { zone: string; entry?: ListFact; codes?: string } => {
    const { zone, codes } = readListArgument(argument);
    const entry = facts[fact]?.[zone];
    return { zone, ...(entry && { entry }), ...(codes !== undefined && { codes }) };
  };
  return {
    about,
    argument: {
      about: 'the zone of a list, and if need be = and the answers that count',
      isValid: isListArgument,
      example: 'zen.spamhaus.org=127.0.0.2-11',
    },
    needs: [fact],
    find({ facts }, argument) {
      const { zone, entry, codes } = found(facts, argument);
      if (entry === undefined) return unknown(`${zone} was not asked`);
      if (entry.result === 'unknown') return unknown(entry.why);
      if (entry.result === 'free') return no(entry.why);
      const isMeant = codes === undefined || entry.codes.some((code) => fitsCodes(codes, code));
      return isMeant ? yes(entry.why) : no(`${entry.why}, which is none of ${codes}`);
    },
    remedy: ({ facts }, argument) => remedy.replace('LIST', found(facts, argument).zone),
    refusal: ({ facts }, argument) => {
      const { zone, entry } = found(facts, argument);
      return [`Refused: ${entry?.why ?? `listed by ${zone}`}`, `Ask ${zone} why, and how to be taken off it`];
    },
  };
}

export const clientConditions = {
  helo: {
    about:
      "the name in HELO or EHLO: ours (it is our own, or an address that is not the client's), malformed (no full name of a host), " +
      'missing (DNS has neither addresses nor MX for it); bad: one of these',
    argument: { about: 'what is wrong with it', words: heloWords, example: 'bad' },
    needs: ['helo'],
    find({ facts: { helo } }, argument) {
      const { result = 'good', why = '' } = helo ?? {};
      const mayBeMissing = argument === 'bad' || argument === 'missing';
      if (result === 'temperror') return mayBeMissing ? open(why) : no(why);
      return result !== 'good' && (argument === 'bad' || argument === result) ? yes(why) : no(why);
    },
    remedy: () => 'the client had introduced itself by a full name of its own that leads to addresses',
    openName: ({ facts: { client } }) => `the addresses of ${client.helo}`,
  },
  'sender-domain': {
    about:
      "the reverse-path's domain: missing (it has neither MX nor addresses, or says by a null MX that it takes no mail), or null-mx",
    argument: { about: 'what is wrong with it', words: ['missing', 'null-mx'], example: 'missing' },
    needs: ['senderDomain'],
    find({ facts: { senderDomain } }, argument) {
      const { result = 'none', why = '' } = senderDomain ?? {};
      if (result === 'temperror') return open(why);
      const isMissing = result === 'null-mx' || (result === 'missing' && argument === 'missing');
      return isMissing ? yes(why) : no(why);
    },
    remedy: ({ facts: { senderDomain } }) => `${senderDomain?.domain} could be answered`,
    openName: ({ facts: { senderDomain } }) => `MX and addresses of ${senderDomain?.domain}`,
  },
  'early-talker': {
    about:
      'the client talked before it was greeted, as only programs do that do not listen; see greetingDelayMs',
    needs: ['earlyTalker'],
    find: ({ facts: { earlyTalker } }) =>
      earlyTalker?.talked ? yes(earlyTalker.why) : no(earlyTalker?.why ?? ''),
    remedy: () => 'the client had waited for the greeting',
    refusal: () => ['Refused: your client talks before it is greeted (RFC 5321 section 4.3.1)'],
  },
  dnsbl: listCondition(
    'dnsbl',
    "the client's address is on a DNS block list (RFC 5782)",
    "the client's address were not on LIST",
  ),
  dnswl: listCondition(
    'dnsbl',
    "the client's address is on a DNS list of good ones",
    "the client's address were not on LIST",
  ),
  rhsbl: listCondition(
    'rhsbl',
    'the domain of the reverse-path is on a DNS block list of domains',
    "the sender's domain were not on LIST",
  ),
} as const satisfies Record<string, Condition>;
