/**
 * The recipients' block lists for mail that is not judged otherwise: what a server in front has let in. It is not refused for
 * them, as that server would write to a sender who may be forged (RFC 5321 §6.2): it goes to Junk.
 */

import { findAuthorAddresses } from '../authentication/author.ts';
import type { Header } from '../mail/header.ts';
import { type Addressee, decide, type Ruling } from '../policy/decide.ts';
import type { Facts } from '../policy/facts.ts';
import type { Action, Check } from '../policy/policy.ts';
import type { Session, Transaction } from './door.ts';
import type { Chosen, Policies } from './policies.ts';

export interface LetIn {
  session: Session;
  transaction: Transaction;
  header: Header;
}

/** In the order of the recipients; empty where no list says anything. */
export async function blockedRulings(
  policies: Policies,
  { session, transaction, header }: LetIn,
): Promise<readonly Ruling[]> {
  const { reversePath, recipients } = transaction;
  const facts: Facts = {
    version: 1,
    client: { address: session.peer.address, helo: session.hello?.name ?? '' },
    reversePath,
    authors: findAuthorAddresses(header.fields),
  };
  const addressees: Addressee[] = [];
  for (const recipient of recipients) {
    const chosen = await policies.of(recipient);
    const whose = { recipient: recipient.forwardedBy ?? recipient.address };
    addressees.push({
      policy: { ...chosen.policy, checks: blocksOf(chosen) },
      judged: { facts, recipient: whose, lists: chosen.lists },
    });
  }
  if (addressees.every(({ policy }) => policy.checks.length === 0)) return [];
  const { rulings } = decide(addressees, { stage: 'message' });
  return rulings.some(({ folder }) => folder === 'Junk') ? rulings : [];
}

/** A policy that does not turn away who is blocked, or only counts it, does not do so here either. */
const blocksOf = ({ policy, lists }: Chosen): Check[] =>
  lists.block.length === 0
    ? []
    : policy.checks
        .filter(({ when, then }) => when.name === 'blocked' && (then === 'reject' || then === 'junk'))
        .map(({ when, score }) => checkOf(when, 'junk', score));

const checkOf = (when: Check['when'], then: Action, score: number): Check => ({ when, then, score });
