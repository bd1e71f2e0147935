/** Conditions over who a message says that it is from: block and allow lists. */

import { type Condition, no, open, yes } from '../condition.ts';
import { type Name, namesOf, proofOf } from '../proven.ts';
import { findPattern } from '../sender-pattern.ts';

interface Hit {
  name: Name;
  pattern: string;
}

function hitsOf(patterns: readonly string[], names: readonly Name[]): Hit[] {
  if (patterns.length === 0) return [];
  return names.flatMap((name) => {
    const pattern = findPattern(patterns, name.address);
    return pattern === undefined ? [] : [{ name, pattern }];
  });
}

const words = ({ name, pattern }: Hit, list: 'block' | 'allow'): string =>
  `${name.address} in ${name.in} is on the ${list} list, by "${pattern}"`;

export const senderConditions = {
  blocked: {
    about: 'the sender, in the envelope or in From, is on a block list of the mailbox or the policy',
    needs: ['reversePath'],
    find({ facts, lists: { block } }) {
      const [hit] = hitsOf(block, namesOf(facts));
      if (hit) return yes(words(hit, 'block'));
      if (block.length === 0) return no('nobody is on a block list');
      return facts.authors === undefined ? open('From is not known yet') : no('no sender is on a block list');
    },
    remedy({ facts, lists: { block } }) {
      const patterns = hitsOf(block, namesOf(facts)).map(({ pattern }) => `"${pattern}"`);
      return `${[...new Set(patterns)].join(' and ')} were not on the block list`;
    },
    // Whose list it is, and what is on it, is nobody's business.
    refusal: () => ['Refused: mail from this sender is not taken here. Ask the recipient by another way'],
  },
  allowed: {
    about:
      'the sender is on an allow list of the mailbox or the policy, and SPF, DKIM or DMARC prove that the message is from there',
    needs: ['reversePath'],
    find({ facts, lists: { allow } }) {
      const hits = hitsOf(allow, namesOf(facts)).map((hit) => ({ hit, proof: proofOf(hit.name, facts) }));
      const found = hits.find(({ proof }) => proof.proven === 'yes');
      if (found) return yes(`${words(found.hit, 'allow')}, and ${found.proof.why}`);
      if (allow.length === 0) return no('nobody is on an allow list');
      if (facts.authors === undefined) return open('From is not known yet');
      const undecided = hits.find(({ proof }) => proof.proven === 'open');
      if (undecided) return open(`${words(undecided.hit, 'allow')}, but ${undecided.proof.why}`);
      const [first] = hits;
      return first
        ? no(`${words(first.hit, 'allow')}, but ${first.proof.why}`)
        : no('no sender is on an allow list');
    },
    openName: ({ facts }) => `SPF, DKIM or DMARC of ${facts.dmarc?.domain || facts.spf?.domain}`,
  },
} as const satisfies Record<string, Condition>;
