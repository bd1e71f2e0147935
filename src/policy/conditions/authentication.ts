/** Conditions over what the sender checks found: DMARC, SPF, DKIM, iprev. */

import { type Condition, no, open, yes } from '../condition.ts';
import { type Authentication, dmarcOutcomes } from '../dmarc-outcome.ts';
import * as words from '../dmarc-words.ts';
import type { Facts } from '../facts.ts';

/** `needs` has seen to it that they are there. */
const found = ({ facts }: { facts: Facts }): Authentication => facts as Facts & Authentication;

const outcomeWords = {
  nothing: words.nothingWords,
  quarantine: words.quarantineWords,
  reject: words.rejectWords,
  undecidable: words.undecidableWords,
} as const;

const isOpen = ({ spf, dkim, dmarc }: Authentication): boolean =>
  [spf, ...dkim, dmarc].some(({ result }) => result === 'temperror');

export const authenticationConditions = {
  dmarc: {
    about:
      'what the author domain asks for: reject (and nothing authenticates the message), quarantine, nothing; or undecidable: ' +
      'there is no single author domain',
    argument: { about: 'what it asks for', words: dmarcOutcomes, example: 'reject' },
    needs: ['spf', 'dkim', 'dmarc'],
    find: (judged, argument) =>
      judged.dmarc === argument
        ? yes(outcomeWords[judged.dmarc](found(judged)))
        : no(isOpen(found(judged)) ? words.openWords(found(judged)) : words.nothingWords(found(judged))),
    remedy: (judged, argument) =>
      argument === 'undecidable'
        ? 'there were one From field whose addresses share a domain'
        : words.remedyWords(found(judged)),
    refusal: (judged) => words.refusalLines(found(judged), judged.facts.client.address),
    openName: (judged) => words.openName(found(judged)),
  },
  spf: {
    about: 'the result of SPF (RFC 7208)',
    argument: {
      about: 'a result',
      words: ['pass', 'fail', 'softfail', 'neutral', 'none', 'permerror'],
      example: 'fail',
    },
    needs: ['spf'],
    find({ facts: { spf } }, argument) {
      const why = `SPF is "${spf?.result}" for ${spf?.domain || 'no domain'} (${spf?.reason})`;
      if (spf?.result === 'temperror') return open(why);
      return spf?.result === argument ? yes(why) : no(why);
    },
    remedy: ({ facts: { spf } }) => `SPF passed for ${spf?.domain || 'a domain'}`,
    openName: ({ facts: { spf } }) => `the SPF record of ${spf?.domain}`,
  },
  dkim: {
    about: 'whether a DKIM signature is valid, of whatever domain: pass; or none: not one is',
    argument: { about: 'a result', words: ['pass', 'none'], example: 'none' },
    needs: ['dkim'],
    find({ facts: { dkim = [] } }, argument) {
      const valid = dkim.find(({ result }) => result === 'pass');
      const failed = dkim.find(({ result }) => result === 'temperror');
      if (!valid && failed) return open(`the DKIM key of ${failed.domain} is not known (${failed.reason})`);
      const why = valid ? `the DKIM signature of ${valid.domain} is valid` : 'no DKIM signature is valid';
      return (argument === 'pass') === (valid !== undefined) ? yes(why) : no(why);
    },
    remedy: (_, argument) => (argument === 'none' ? 'a DKIM signature were valid' : 'none were valid'),
    openName: ({ facts: { dkim = [] } }) =>
      `the DKIM key of ${dkim.find(({ result }) => result === 'temperror')?.domain}`,
  },
  iprev: {
    about: "whether the client's address has a name that leads back to it (RFC 8601 §3)",
    argument: { about: 'a result', words: ['pass', 'fail', 'permerror'], example: 'fail' },
    needs: ['iprev'],
    find({ facts: { iprev, client } }, argument) {
      const why = `the reverse name of ${client.address} is "${iprev?.result}" (${iprev?.reason})`;
      if (iprev?.result === 'temperror') return open(why);
      return iprev?.result === argument ? yes(why) : no(why);
    },
    remedy: ({ facts: { client } }) => `${client.address} had a name that leads back to it`,
    openName: ({ facts: { client } }) => `the reverse name of ${client.address}`,
  },
} as const satisfies Record<string, Condition>;
