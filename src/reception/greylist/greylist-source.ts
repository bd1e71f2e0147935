/** Finds `greylist`: whether a client that is not known has waited; and remembers who was asked to, and who has passed. */

import type { Facts } from '../../policy/facts.ts';
import { proofOf } from '../../policy/proven.ts';
import type { Recipient } from '../../queue/directory.ts';
import type { AboutClient, FactSource } from '../checks/fact-source.ts';
import type { Learner, Settled } from '../learning.ts';
import { type Greylist, type Triplet, tripletOf } from './greylist.ts';

/** Says why a client need not wait that is new for a domain, where there is a reason. */
export type Vouch = (about: AboutClient) => Promise<string | undefined>;

export const greylistSource = (greylist: Greylist, vouch?: Vouch): FactSource => {
  /** Once for all recipients. */
  const vouched = new WeakMap<AboutClient['transaction'], Promise<string | undefined>>();
  const askOnce = (about: AboutClient) => {
    const asked = vouched.get(about.transaction) ?? vouch?.(about) ?? Promise.resolve(undefined);
    vouched.set(about.transaction, asked);
    return asked;
  };
  return {
    finds: ['greylist'],
    async ofRecipient(about) {
      const fact = greylist.find(about.session.peer.address, tripletFor(about, about.recipient));
      if (fact.passed) return { greylist: fact };
      const why = await askOnce(about);
      return { greylist: why === undefined ? fact : { passed: true, why } };
    },
  };
};

export const greylistLearner = (greylist: Greylist): Learner => ({
  settled(outcome) {
    const { facts, decision } = outcome.judgment;
    const seen = new Map<string, { triplet: Triplet; isGreylisted: boolean; isWelcome: boolean }>();
    for (const [index, recipient] of outcome.recipients.entries()) {
      const triplet = tripletFor(outcome, recipient);
      seen.set(triplet.recipient, { triplet, ...fateOf(outcome, index) });
    }
    for (const { triplet, isGreylisted, isWelcome } of seen.values()) {
      if (isGreylisted && decision.reply) greylist.refused(triplet);
      else if (isWelcome && !decision.reply) greylist.accepted(triplet, isProven(facts));
    }
  },
});

function fateOf({ judgment: { decision }, stage }: Settled, index: number) {
  const disposition = stage === 'rcpt' ? decision.decision : decision.rulings[index]?.judgement.disposition;
  return { isGreylisted: disposition === 'greylist', isWelcome: disposition === 'accept' };
}

/** As the client named the recipient: an alias for many is one. */
function tripletFor({ session: { peer, hello }, transaction }: AboutClient, recipient: Recipient): Triplet {
  const client = { address: peer.address, helo: hello?.name ?? '', reversePath: transaction.reversePath };
  return tripletOf(client, recipient.redirected?.from ?? recipient.address);
}

/** The envelope is the domain's own. */
const isProven = (facts: Facts): boolean =>
  facts.reversePath !== '' &&
  proofOf({ address: facts.reversePath, in: 'the envelope' }, facts).proven === 'yes';
