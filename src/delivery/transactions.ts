/**
 * What is said of one message over one connection: as many transactions as it takes, for recipients beyond our limit for
 * one or beyond the receiver's. Verdicts go to the ledger; which connection comes next is decided in send.ts.
 */

import type { DkimSigner } from '../authentication/dkim-sign.ts';
import type { Session } from '../smtp/client-session.ts';
import type { ClientTimeouts } from '../smtp/client-timeouts.ts';
import { recipientsPerTransaction, sendTransaction } from '../smtp/client-transaction.ts';
import type { Flaw, Verdict } from '../smtp/client-verdict.ts';
import type { MailRequests } from '../smtp/mail-parameters.ts';
import type { Transaction } from '../smtp/transaction.ts';
import type { JobRow } from '../store/job.ts';
import type { MessageRow } from '../store/message.ts';
import { withOurs } from './attempted.ts';
import type { Loan } from './connections/pool.ts';
import type { Ledger } from './ledger.ts';
import { errorOf, hasFlaw, isDeadBeforeMail, withoutIt } from './replies/verdicts.ts';
import { askedOfNext } from './reports/wanted-reports.ts';
import { sevenBitCopy } from './seven-bit-copy.ts';

export interface TransactionsParts {
  message: MessageRow;
  /** Begins to read prefix and content; called once per transaction. */
  content: () => Iterable<Buffer> | AsyncIterable<Buffer>;
  ledger: Ledger;
  timeouts: ClientTimeouts;
  /** Of one message there. */
  recipientsPerMessage?: number | undefined;
  /** For a message that has to be changed for its receiver. */
  signers: ReadonlyMap<string, DkimSigner>;
  now: () => number;
}

/** What broke a connection off. */
export interface Broken {
  error: string;
  /** Nothing of the message was handed over: the same may go well over another connection. */
  isStale: boolean;
  flaw?: Flaw;
}

const converted =
  'the receiver has no 8BITMIME: 8-bit parts were written in quoted-printable or base64, and the message signed anew';

export class Transactions {
  readonly #parts: TransactionsParts;
  #copy: ReturnType<typeof sevenBitCopy> | undefined;
  #converted: string | undefined;

  constructor(parts: TransactionsParts) {
    this.#parts = parts;
  }

  /** How the message differs from what was accepted, on the connection that was spoken over last. */
  get converted(): string | undefined {
    return this.#converted;
  }

  /** Resolves to what broke them off, if something did. */
  async over({ session, endpoint, reused }: Loan): Promise<Broken | undefined> {
    const { ledger } = this.#parts;
    const spoken = withOurs(endpoint, session.conversation.localAddress);
    this.#converted = undefined;
    let rest = ledger.pending;
    for (let isFirst = true; rest.length > 0; isFirst = false) {
      const jobs = this.#admitted(session, rest);
      if (jobs.length === 0) break;
      session.quota?.use(jobs);
      const verdicts = await this.#transact(session, jobs);
      const dead = reused && isFirst ? verdicts.find(isDeadBeforeMail) : undefined;
      if (dead !== undefined) return { error: errorOf(dead), isStale: true };
      const flawed = verdicts.find(hasFlaw);
      if (flawed !== undefined) return { error: withoutIt(flawed), isStale: true, flaw: flawed.flaw };
      const again = ledger.settle(jobs, verdicts, { session, endpoint: spoken });
      const broken = verdicts.find(({ by }) => by === 'connection');
      if (broken !== undefined) return { error: errorOf(broken), isStale: false };
      rest = [...again, ...after(rest, jobs)];
    }
    return undefined;
  }

  /** Those who may be named in the next transaction; nobody where the connection has carried its share (RFC 9422). */
  #admitted({ quota }: Session, rest: readonly JobRow[]): readonly JobRow[] {
    const { recipientsPerMessage = recipientsPerTransaction } = this.#parts;
    const room = rest.slice(0, Math.min(recipientsPerMessage, recipientsPerTransaction));
    return quota?.admit(room) ?? room;
  }

  #transact(session: Session, jobs: readonly JobRow[]): Promise<Verdict[]> {
    const { message, content, timeouts, now } = this.#parts;
    const { reversePath, sizeBytes, smtputf8 } = message;
    const recipients = jobs.map(({ recipient }) => recipient);
    const transaction = {
      reversePath,
      recipients,
      sizeBytes,
      smtputf8,
      content,
      inSevenBit: this.#inSevenBit,
      ...requestsOf(message, jobs, now),
    };
    return sendTransaction(session, transaction, timeouts);
  }

  /** Made once, for the first receiver that needs it. */
  readonly #inSevenBit = async () => {
    const { signers, message, content } = this.#parts;
    this.#copy ??= sevenBitCopy({ signers, message, content });
    const copy = await this.#copy;
    if (copy && 'content' in copy) this.#converted = converted;
    return copy;
  };
}

/** The others, in their order: nearly always those behind. */
function after(rest: readonly JobRow[], done: readonly JobRow[]): readonly JobRow[] {
  return rest[done.length - 1] === done.at(-1)
    ? rest.slice(done.length)
    : rest.filter((job) => !done.includes(job));
}

/** Nothing for nearly all mail. */
function requestsOf(
  { requests }: MessageRow,
  jobs: readonly JobRow[],
  now: () => number,
): Pick<Transaction, 'requests' | 'recipientRequests'> {
  return {
    ...(requests && { requests: requestsAt(requests, now()) }),
    ...(jobs.some((job) => job.requests) && { recipientRequests: jobs.map(askedOfNext) }),
  };
}

/** Of a time that the sender has set, what is left of it (RFC 2852 §4.1). */
function requestsAt({ deliverBy, ...rest }: NonNullable<MessageRow['requests']>, now: number): MailRequests {
  if (!deliverBy) return rest;
  const { at, mode, trace } = deliverBy;
  return { ...rest, by: { seconds: Math.round((at - now) / 1000), mode, ...(trace && { trace }) } };
}
