/** Finds `networkHistory`, `domainHistory` and `acquaintance`; and learns from what became of each message. */

import { canonicalAddress } from '../../net/addresses.ts';
import { clientNetworks } from '../../net/client-networks.ts';
import type { Peer } from '../../net/machine.ts';
import type { Ruling } from '../../policy/decide.ts';
import type { Facts } from '../../policy/facts.ts';
import { domainOf, provenNames } from '../../policy/proven.ts';
import type { FactSource } from '../checks/fact-source.ts';
import type { Learner, Settled } from '../learning.ts';
import type { Outcome, SenderHistory } from './history.ts';

export const historySource = (history: SenderHistory): FactSource => ({
  finds: ['networkHistory', 'domainHistory', 'acquaintance'],
  ofClient: ({ session: { peer } }) => ({ networkHistory: history.of('network', networkOf(peer)) }),
  ofMessage: ({ facts }) => ({ domainHistory: history.of('domain', senderDomain(facts)) }),
  // Who has sent it is not known before the message is here.
  ofRecipient: ({ facts, recipient }) =>
    facts.dmarc === undefined
      ? {}
      : { acquaintance: history.acquaintance(recipient.address, provenNames(facts)[0]?.address) },
});

export const historyLearner = (history: SenderHistory): Learner => ({
  settled(outcome) {
    const { facts, decision } = outcome.judgment;
    const fate = fateOf(outcome);
    if (fate !== undefined) {
      history.note('network', networkOf(outcome.session.peer), fate);
      if (outcome.stage === 'message') history.note('domain', senderDomain(facts), fate);
    }
    if (decision.reply || outcome.stage === 'rcpt') return;
    const names = provenNames(facts);
    for (const [index, recipient] of outcome.recipients.entries())
      if (recipient.kind === 'local' && decision.rulings[index]?.folder === 'Inbox')
        for (const { address } of names) history.acquaint(recipient.address, address);
  },
  unknownRecipient: ({ peer }) => history.note('network', networkOf(peer), 'unknown'),
});

/** What it counts as; undefined: it came too early to say, or says nothing that was not known. */
function fateOf({ judgment: { decision } }: Settled): Outcome | undefined {
  if (decision.decision === 'defer' || decision.decision === 'greylist') return undefined;
  if (decision.decision === 'accept') return 'accepted';
  if (decision.rulings.every(isEcho)) return undefined;
  return decision.decision === 'junk' ? 'junk' : 'refused';
}

/** What follows from the history, or from one person's list, must not become a reason for more of the same. */
const echoes = new Set(['blocked', 'reputation', 'rate', 'first-time-sender']);

function isEcho({ policy, judgement: { decidedBy, scored, score } }: Ruling): boolean {
  if (decidedBy) return echoes.has(decidedBy.check.when.name);
  const ofHistory = scored.filter(({ check }) => echoes.has(check.when.name));
  return score - ofHistory.reduce((sum, { check }) => sum + check.score, 0) < policy.junkAt;
}

/** '' of a proxy that speaks for nobody. */
function networkOf({ address, proxy }: Peer): string {
  if (proxy?.speaksFor === 'nobody') return '';
  const { client, network } = clientNetworks(canonicalAddress(address));
  return client.includes(':') ? client : network;
}

/** '' where nothing proves whom it is from. */
function senderDomain(facts: Facts): string {
  const [name] = provenNames(facts);
  return name === undefined ? '' : domainOf(name.address);
}
