/**
 * RCPT: who a recipient is, whether the client may name them, and what they and the programs of others say to that. The rule
 * that keeps this from being an open relay is the door's (`refuseElsewhere`).
 */

import type { Address } from '../mail/address.ts';
import type { Directory, Recipient, Resolution } from '../queue/directory.ts';
import type { Quotas } from '../queue/quotas.ts';
import type { Parameters } from '../smtp/command.ts';
import { readRcptRequests } from '../smtp/rcpt-parameters.ts';
import { type Reply, reply } from '../smtp/reply.ts';
import type { JobRequests } from '../store/job.ts';
import type { Log } from '../util/log.ts';
import { andThen, type MaybePromise } from '../util/maybe-promise.ts';
import type { Conduct } from './abuse/conduct.ts';
import type { Door, Session, Transaction } from './door.ts';
import { refuseFull } from './full-mailbox.ts';
import { refusePost } from './list-posts.ts';
import { closedMailbox, endlessAddress, isAddress, readPath, unknownUser, withoutRoute } from './path.ts';
import { type Check, firstRefusal, refuseToReturn } from './recipient-checks.ts';
import { inherit } from './requests.ts';

export interface RecipientsParts {
  door: Door;
  directory: Directory;
  /** Absent: every mailbox has room. */
  quotas?: Pick<Quotas, 'roomFor'>;
  /** Absent where nothing is counted of the client. */
  conduct?: Conduct | undefined;
  log: Log;
}

/** A recipient who is there, as the client named them. */
interface Named {
  spelled: string;
  parameters: Parameters;
  found: readonly Recipient[];
  elsewhere: boolean;
}

/** Recipients in one transaction beyond one per RCPT: whom its aliases lead to. Any one alias fits. */
const maxBehindAliases = 10_000;

/** Those of one session's transactions. */
export class Recipients {
  readonly #parts: RecipientsParts;
  readonly #session: Session;

  constructor(parts: RecipientsParts, session: Session) {
    this.#parts = parts;
    this.#session = session;
  }

  /** Undefined: it is one of the transaction's from now on. */
  add(transaction: Transaction, path: string, parameters: Parameters): MaybePromise<Reply | undefined> {
    const address = readPath(path, transaction.smtputf8);
    if (!isAddress(address)) return address;
    const spelled = withoutRoute(path);
    return andThen(this.#parts.directory.resolve(address, spelled), (resolution) => {
      const added = this.#addResolved(transaction, { address, spelled, parameters }, resolution);
      if (resolution.status === 'found' || resolution.status === 'endless') return added;
      return andThen(added, (refusal) => refusal && this.#answerStranger(refusal, transaction));
    });
  }

  /** Who asks for people that are not here, one after the other, hears of it later and later, and in the end no more. */
  #answerStranger(refusal: Reply, { reversePath }: Transaction): MaybePromise<Reply> {
    const { conduct } = this.#parts;
    if (conduct === undefined || this.#session.account !== undefined) return refusal;
    const found = conduct.badRecipient({ isReport: reversePath === '' });
    return found.then(({ leave }) => (leave ? reply(421, '4.7.0', leave) : refusal));
  }

  #addResolved(
    transaction: Transaction,
    { address, spelled, parameters }: { address: Address; spelled: string; parameters: Parameters },
    resolution: Resolution,
  ): MaybePromise<Reply | undefined> {
    if (resolution.status === 'unknown') this.#parts.door.unknownRecipient?.(this.#session);
    if (resolution.status === 'unknown')
      return resolution.isClosed ? closedMailbox(spelled) : unknownUser(spelled);
    if (resolution.status === 'endless') return this.#tellEndless(spelled, resolution.why);
    const elsewhere = resolution.status === 'elsewhere';
    const refusal = elsewhere ? this.#parts.door.refuseElsewhere(this.#session, address) : undefined;
    if (refusal) return refusal;
    const found = elsewhere ? [resolution.recipient] : resolution.recipients;
    const { forwardPaths, recipients } = transaction;
    if (recipients.length + found.length > forwardPaths.length + maxBehindAliases)
      return tooManyBehindAliases;
    const checks = this.#checksOf(transaction, { spelled, parameters, found, elsewhere });
    return andThen(firstRefusal(checks), (refused) => {
      if (refused) return refused;
      const requests = readRcptRequests(parameters);
      forwardPaths.push(spelled);
      recipients.push(...(requests ? this.#asking(transaction, spelled, found, requests) : found));
      return undefined;
    });
  }

  #tellEndless(spelled: string, why: string): Reply {
    this.#parts.log.error({ recipient: spelled }, `mail is refused: this address ${why}`);
    return endlessAddress(spelled);
  }

  /** What the address itself takes first, then what its people want, then what programs of others say. */
  #checksOf(transaction: Transaction, { spelled, parameters, found, elsewhere }: Named): readonly Check[] {
    const { directory, quotas, door } = this.#parts;
    const { reversePath, declaredBytes: sizeBytes } = transaction;
    const session = this.#session;
    return [
      () => refuseToReturn(reversePath, found),
      () => refusePost(directory, { reversePath, spelled, found }),
      () => refuseFull(quotas, { spelled, found, sizeBytes }),
      () =>
        elsewhere ? undefined : door.refuseRecipient?.(session, transaction, { spelled, recipients: found }),
      () => door.screen?.recipient(session, transaction, { address: spelled, parameters, found }),
    ];
  }

  #asking(
    transaction: Transaction,
    spelled: string,
    found: readonly Recipient[],
    requests: JobRequests,
  ): readonly Recipient[] {
    const { recipients, expanded } = inherit(spelled, found, requests);
    if (expanded) transaction.expanded = [...(transaction.expanded ?? []), expanded];
    return recipients;
  }
}

const tooManyBehindAliases = reply(
  452,
  '4.5.3',
  'Too many recipients, with those behind aliases; send them the message in another transaction',
);
