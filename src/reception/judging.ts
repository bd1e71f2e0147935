/**
 * What the recipients' policies make of a message from outside: a recipient can be turned away at RCPT where the facts are
 * there, and all of them at the end. Facts come from the sender checks and from checks/; the judgement is policy/.
 */

import { findAuthorAddresses } from '../authentication/author.ts';
import type { Verdicts } from '../authentication/verdicts.ts';
import type { FilterFact } from '../filter/fact.ts';
import type { Header } from '../mail/header.ts';
import { type Addressee, decide, type Ruling, refuseEarly } from '../policy/decide.ts';
import type { Facts } from '../policy/facts.ts';
import type { Recipient } from '../queue/directory.ts';
import type { Reply } from '../smtp/reply.ts';
import type { Content } from '../store/message.ts';
import { blockedRulings, type LetIn } from './blocked.ts';
import { type FactFinder, mayRefuseEarly } from './checks/fact-finder.ts';
import type { AboutClient } from './checks/fact-source.ts';
import type { Deferrals } from './deferrals.ts';
import type { Session, Transaction } from './door.ts';
import type { Judgment } from './judgment.ts';
import type { Learner, Settled } from './learning.ts';
import type { MessageCollector } from './message-collector.ts';
import type { Chosen, Policies } from './policies.ts';

export interface JudgingParts {
  policies: Policies;
  finder: FactFinder;
  deferrals: Pick<Deferrals, 'mayDefer'>;
  /** Told what became of each message. */
  learners?: readonly Learner[];
}

/** A message that is all there. */
export interface WholeMessage extends AboutClient {
  header: Header;
  collector: MessageCollector;
  content: Content;
  verdicts: Verdicts;
  /** What the filters said of it; empty where there are none. */
  filters: readonly FilterFact[];
}

export class Judging {
  readonly #parts: JudgingParts;
  /** What was found of the client of a transaction, once for all of its recipients. */
  readonly #found = new WeakMap<Transaction, Promise<Facts>>();

  constructor(parts: JudgingParts) {
    this.#parts = parts;
  }

  /** At RCPT: refuses where all that an address leads to refuse, whatever the message will be. */
  async refuseAtRcpt(
    session: Session,
    transaction: Transaction,
    recipients: readonly Recipient[],
  ): Promise<(Judgment & { reply: Reply }) | undefined> {
    // What takes a while is asked while the message comes in. A failure is told to whoever waits for it then.
    if (this.#parts.finder.looksAtClients) this.#clientFacts({ session, transaction }).catch(() => undefined);
    const refusals = [];
    let facts: Facts | undefined;
    for (const recipient of recipients) {
      const chosen = await this.#parts.policies.of(recipient);
      if (!mayRefuseEarly(chosen.policy, chosen.lists)) return undefined;
      facts ??= await this.#clientFacts({ session, transaction });
      const refusal = refuseEarly(await this.#addressee({ session, transaction, facts }, recipient, chosen));
      if (refusal === undefined) return undefined;
      refusals.push(refusal);
    }
    const decision = refusals.find((each) => each.decision === 'greylist') ?? refusals[0];
    return decision && facts && { facts, decision, reply: decision.reply };
  }

  /** At the end of the message. */
  async judge(message: WholeMessage): Promise<Judgment> {
    const { session, transaction, header, verdicts, collector, content, filters } = message;
    const client = await this.#clientFacts(message);
    const { spf, spfHelo, dkim, dmarc, arc, iprev } = verdicts;
    const authors = findAuthorAddresses(header.fields);
    const facts = await this.#parts.finder.ofMessage({
      ...{ session, transaction, header, collector, content },
      facts: {
        ...client,
        authors,
        spf,
        ...(spfHelo && { spfHelo }),
        dkim,
        dmarc,
        ...(arc && { arc }),
        iprev,
        filters,
      },
    });
    const about = { session, transaction, facts };
    const addressees: Addressee[] = [];
    for (const recipient of transaction.recipients) addressees.push(await this.#addressee(about, recipient));
    const decision = decide(addressees, { stage: 'message' });
    if (decision.decision !== 'defer' || decision.isAsked) return { facts, decision };
    return (await this.mayDefer(transaction, collector))
      ? { facts, decision }
      : { facts, decision: decide(addressees, { stage: 'given up' }), givenUp: true };
  }

  /** Mail that is not judged: whom the recipients' block lists keep out of their Inboxes. */
  rulingsOfBlocked(message: LetIn): Promise<readonly Ruling[]> {
    return blockedRulings(this.#parts.policies, message);
  }

  /** Whether a message may be asked back once more while DNS fails. */
  mayDefer({ reversePath, forwardPaths }: Transaction, collector: MessageCollector): Promise<boolean> {
    return this.#parts.deferrals.mayDefer({ reversePath, forwardPaths, header: collector.originalHeader });
  }

  /** Somebody has heard what it came to. */
  settled(outcome: Settled): void {
    for (const learner of this.#parts.learners ?? []) learner.settled(outcome);
  }

  unknownRecipient(session: Session): void {
    for (const learner of this.#parts.learners ?? []) learner.unknownRecipient?.(session);
  }

  #clientFacts(about: AboutClient): Promise<Facts> {
    const known = this.#found.get(about.transaction);
    if (known) return known;
    const asked = this.#parts.finder.ofClient(about);
    this.#found.set(about.transaction, asked);
    return asked;
  }

  async #addressee(
    about: AboutClient & { facts: Facts },
    recipient: Recipient,
    chosen?: Chosen,
  ): Promise<Addressee> {
    const [{ policy, lists }, found] = await Promise.all([
      chosen ?? this.#parts.policies.of(recipient),
      this.#parts.finder.ofRecipient({ ...about, recipient }),
    ]);
    return { policy, judged: { facts: about.facts, recipient: found, lists } };
  }
}
