/**
 * Whether mail for an address would arrive, found out without sending any (M11): syntax → DNS → TLS policy → a question
 * to the receiver, and another about an address that cannot exist there. Honest where nothing can be known: a receiver that
 * greylists, that accepts everything, or that has something against us says nothing about the address.
 */

import { type Address, formatAddress, needsSmtputf8, parseAddress } from '../../mail/address.ts';
import { quit } from '../../smtp/client.ts';
import { type ClientTimeouts, defaultTimeouts } from '../../smtp/client-timeouts.ts';
import type { DialogueLine } from '../../util/dialogue.ts';
import { closingOnAbort, type Loan } from '../connections/pool.ts';
import {
  type AddressVerdict,
  askReceiver,
  type CheckStep,
  type Circumstances,
  type Conclusion,
  cannotTell,
  type NoteStep,
  undeliverable,
} from './callout.ts';
import { type ReachParts, reachReceiver } from './reach.ts';

/** Survives JSON. */
export interface AddressCheck {
  /** As it was asked for. */
  address: string;
  verdict: AddressVerdict;
  /** In a sentence. */
  why: string;
  steps: CheckStep[];
  /** Of the connection that decided. */
  dialogue: DialogueLine[];
  /** Milliseconds since the epoch. */
  checkedAt: number;
  durationMs: number;
}

/** Who is asked may not know it: without a running server nobody has the accounts. */
export type OwnAddress = 'known' | 'unknown' | 'unclear';

export interface CheckParts extends ReachParts {
  timeouts: ClientTimeouts;
  /** For domains of our own; undefined for all others. */
  findOwn?: (address: Address) => Promise<OwnAddress | undefined>;
  /** A local part that nobody has. */
  nobody: () => string;
}

const secondMs = 1000;

/** Somebody waits for the answer: shorter than when mail is at stake. */
export const calloutTimeouts: ClientTimeouts = {
  ...defaultTimeouts,
  connectMs: 10 * secondMs,
  greetingMs: 60 * secondMs,
  helloMs: 30 * secondMs,
  tlsMs: 20 * secondMs,
  mailMs: 60 * secondMs,
  rcptMs: 60 * secondMs,
  quitMs: 2 * secondMs,
};

/** For one check in all. */
export const checkTimeoutMs = 180 * secondMs;

/** Never rejects but for a bug, or with the signal's reason. */
export async function checkAddress(
  parts: CheckParts,
  text: string,
  signal?: AbortSignal,
): Promise<AddressCheck> {
  const { clock } = parts;
  const checkedAt = clock.now();
  const limit = new AbortController();
  const cancel = clock.after(checkTimeoutMs, () => limit.abort(tooLong));
  const check = new Check(parts, signal ? AbortSignal.any([signal, limit.signal]) : limit.signal);
  try {
    const conclusion = await check.run(text).catch((error): Conclusion => {
      if (error === tooLong) return cannotTell(tooLong.message);
      throw error;
    });
    const { steps, dialogue } = check;
    return { address: text, ...conclusion, steps, dialogue, checkedAt, durationMs: clock.now() - checkedAt };
  } finally {
    cancel();
  }
}

const tooLong = new Error(`No answer within ${checkTimeoutMs / secondMs} s.`);

class Check {
  readonly steps: CheckStep[] = [];
  dialogue: DialogueLine[] = [];
  readonly #parts: CheckParts;
  readonly #signal: AbortSignal;

  constructor(parts: CheckParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
  }

  async run(text: string): Promise<Conclusion> {
    const address = parseAddress(text);
    if (address === undefined) {
      this.#note('syntax', 'bad', 'This is no mail address (RFC 5321 §4.1.2).');
      return undeliverable('It is no mail address: write user@example.org.');
    }
    this.#noteAddress(text, address);
    const own = await this.#parts.findOwn?.(address);
    if (own !== undefined) return this.#ofOurOwn(own);
    const note: NoteStep = (...step) => this.#note(...step);
    const reached = await reachReceiver(this.#parts, address.domain, { note, signal: this.#signal });
    if (reached.dialogue !== undefined) this.dialogue = [...reached.dialogue];
    return reached.loan === undefined ? reached.conclusion : this.#converse(reached.loan, address);
  }

  #note(...[step, finding, text, evidence = []]: Parameters<NoteStep>): void {
    this.steps.push({ step, finding, text, evidence });
  }

  #noteAddress(text: string, address: Address): void {
    const written = formatAddress(address);
    const how = needsSmtputf8(address) ? ' It can travel only with SMTPUTF8 (RFC 6531).' : '';
    const evidence = written === text ? [] : [`it is written ${written}`];
    this.#note('syntax', 'good', `A mail address.${how}`, evidence);
  }

  #ofOurOwn(own: OwnAddress): Conclusion {
    if (own === 'unclear') {
      this.#note('domain', 'unclear', 'The domain is ours; who is there, only the running server knows.');
      return cannotTell('It would be an address of this server, which does not run.');
    }
    if (own === 'known') {
      this.#note('domain', 'good', 'The domain is ours, and has this address.');
      return { verdict: 'deliverable', why: 'It is an address of this server.' };
    }
    this.#note('domain', 'bad', 'The domain is ours, and does not have this address.');
    return undeliverable('It would be an address of this server, and there is none such.');
  }

  #circumstances(): Circumstances {
    const { timeouts, nobody } = this.#parts;
    return { timeouts, nobody, signal: this.#signal, note: (...step) => this.#note(...step) };
  }

  async #converse(loan: Loan, address: Address): Promise<Conclusion> {
    const { session } = loan;
    const { conversation } = session;
    try {
      return await closingOnAbort(conversation, this.#signal, () =>
        askReceiver(session, address, this.#circumstances()),
      );
    } finally {
      if (!this.#signal.aborted) await quit(conversation, this.#parts.timeouts);
      this.dialogue = [...conversation.dialogue.excerpt().lines];
    }
  }
}
