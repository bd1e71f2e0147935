/**
 * Which recipients of one attempt have an outcome, and what the others get if nobody else can be asked. Turns verdicts into
 * outcomes; asks nobody itself.
 */

import type { Endpoint } from '../dossier/event.ts';
import type { Session } from '../smtp/client-session.ts';
import type { Verdict } from '../smtp/client-verdict.ts';
import type { JobRow } from '../store/job.ts';
import type { Outcome, Trouble } from './outcome.ts';
import { classify } from './replies/classify.ts';
import type { PermanentFailures } from './replies/failure-rules.ts';
import { allowsNextAddress, isTooMany } from './replies/verdicts.ts';

export interface LedgerOptions {
  permanentFailures: PermanentFailures;
  /** There is somewhere to go to if our IPv6 address is refused. */
  hasIpv4: boolean;
}

/** Where verdicts come from. */
interface Speaker {
  session: Session;
  endpoint: Endpoint;
}

export class Ledger {
  /** What those without an outcome get if there is no other address. */
  trouble: Outcome | undefined;
  /** Only hosts that do not speak for the domain are asked from here on. */
  isGuessing = false;
  readonly #outcomes = new Map<number, Outcome>();
  readonly #options: LedgerOptions;
  #pending: readonly JobRow[];
  #moved: (Outcome & Trouble) | undefined;

  constructor(jobs: readonly JobRow[], options: LedgerOptions) {
    this.#pending = jobs;
    this.#options = options;
  }

  /** Those without an outcome, who go to the next address. */
  get pending(): readonly JobRow[] {
    return this.#pending;
  }

  /** Our IPv6 address was refused in this way: the rest goes over IPv4, once, since nobody complains of IPv6 there. */
  get moved(): (Outcome & Trouble) | undefined {
    return this.#moved;
  }

  /** Writes outcomes down. Returns those for whom the same host has room in a transaction of their own. */
  settle(jobs: readonly JobRow[], verdicts: readonly Verdict[], speaker: Speaker): JobRow[] {
    const hadRoom = verdicts.some(({ by, phase }) => by === 'reply' && phase === 'sending end of data');
    const again: JobRow[] = [];
    for (const [index, job] of jobs.entries()) {
      const verdict = verdicts[index];
      if (verdict === undefined) throw new Error(`No verdict for recipient ${job.number} of ${job.queueId}`);
      if (hadRoom && isTooMany(verdict)) again.push(job);
      else this.#write(job, verdict, speaker);
    }
    this.#pending = this.#pending.filter(({ number }) => !this.#outcomes.has(number));
    return again;
  }

  /** An outcome for every recipient: `leftOver` for those who have none. */
  close(leftOver: Outcome): Map<number, Outcome> {
    for (const { number } of this.#pending) this.#outcomes.set(number, leftOver);
    return this.#outcomes;
  }

  #write(job: JobRow, verdict: Verdict, { session, endpoint }: Speaker): void {
    const outcome = this.#classify(verdict, endpoint);
    if (job.requests && outcome.kind === 'delivered' && session.extensions.has('DSN'))
      outcome.reportsThere = true;
    if (job.requests?.deliverBy && outcome.kind === 'delivered' && session.extensions.has('DELIVERBY'))
      outcome.keepsTimeThere = true;
    if (allowsNextAddress(verdict)) this.trouble = outcome;
    else if (this.#options.hasIpv4 && 'remedy' in outcome && outcome.remedy === 'IPv4')
      this.#moved = this.trouble = outcome;
    else this.#outcomes.set(job.number, outcome);
  }

  #classify(verdict: Verdict, endpoint: Endpoint): Outcome {
    const outcome = classify(verdict, endpoint, this.#options.permanentFailures);
    return this.isGuessing && outcome.kind === 'failed' ? ofGuess(outcome) : outcome;
  }
}

/** A host that DNS does not name for the domain may refuse for reasons of its own: a relay denied, AUTH demanded. */
function ofGuess({ remedy: _, ...refused }: Outcome & { kind: 'failed' }): Outcome {
  const status = refused.status.replace(/^5/, '4');
  const rule = 'a refusal where only the fallback leads: the MX hosts are tried again later';
  return { ...refused, kind: 'deferred', status, rule };
}
