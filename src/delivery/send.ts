/**
 * One attempt to bring one message to some of its recipients at one site (RFC 5321 §5.1): hosts in order, each of
 * their addresses in its turn, until one of them has answered for every recipient. Every recipient gets an outcome of its own.
 *
 * A host that answers speaks for the site: what it defers is tried again later, not at the next host at once (a
 * greylisting site would count that against us). The next address is for connections that fail, as long as the
 * final dot has not gone out; after it, another host could make two messages of one. One complaint is about our address
 * alone: who refuses our IPv6 gets the same message at once over IPv4 (replies/failure-rules.ts).
 */

import type { DkimSigner } from '../authentication/dkim-sign.ts';
import type { DossierEvent, Endpoint } from '../dossier/event.ts';
import { type ClientTimeouts, defaultTimeouts } from '../smtp/client-timeouts.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import { attemptData, type Tried, withOurs } from './attempted.ts';
import { type ConnectionPool, closingOnAbort, type Loan } from './connections/pool.ts';
import type { Delivery, Sent } from './delivery.ts';
import { Ledger } from './ledger.ts';
import type { Outcome, Trouble } from './outcome.ts';
import { classifyOpening } from './replies/classify.ts';
import { isIpv6, type PermanentFailures } from './replies/failure-rules.ts';
import { errorOf } from './replies/verdicts.ts';
import type { Guesses } from './route/fallback.ts';
import { hostsOf } from './route/route.ts';
import type { SiteTables } from './route/site-tables.ts';
import { type SourceChooser, type SourcePlan, withSources } from './route/sources.ts';
import { AttemptTls, type SendTlsParts } from './tls/attempt-tls.ts';
import { Transactions } from './transactions.ts';

export interface SendParts {
  pool: ConnectionPool;
  /** Default: the system chooses from which address of ours. */
  sources?: SourceChooser;
  timeouts?: ClientTimeouts;
  /** How much one connection, and one message, may carry there. */
  tables?: SiteTables;
  /** What becomes of a 5xx. Default: `careful`. */
  permanentFailures?: PermanentFailures;
  /** For a message that has to be changed for its receiver. Default: none, and such a message is not signed. */
  signers?: ReadonlyMap<string, DkimSigner>;
  /** Default: that of this machine. */
  clock?: Clock;
  /** Absent: nothing is remembered of handshakes that fail, and nobody is told. */
  tls?: SendTlsParts;
}

/** Makes one attempt. Never rejects but for a bug. */
export async function send(parts: SendParts, delivery: Delivery): Promise<Sent> {
  const attempt = new Attempt(parts, delivery);
  await attempt.tryRoute();
  if (attempt.isOver) return attempt.result();
  await attempt.tryInClear();
  if (delivery.fallback && attempt.reachedNobody) await attempt.guess(await delivery.fallback());
  return attempt.result();
}

class Attempt {
  readonly #pool: ConnectionPool;
  readonly #messagesPerConnection: number | undefined;
  readonly #delivery: Delivery;
  readonly #plan: SourcePlan | undefined;
  readonly #hosts: readonly (readonly Endpoint[])[];
  /** Why from these of our addresses. */
  #sourceRule: string | undefined;
  readonly #tls: AttemptTls;
  readonly #ledger: Ledger;
  readonly #transactions: Transactions;
  readonly #events: DossierEvent[] = [];
  #isConnected = false;
  /** Our login was refused: the same at the next address would only bring us closer to being locked out. */
  #isShutOut = false;

  constructor(parts: SendParts, delivery: Delivery) {
    const { pool, timeouts = defaultTimeouts, permanentFailures = 'careful', signers = new Map() } = parts;
    const { route, message, content, jobs } = delivery;
    this.#pool = pool;
    this.#delivery = delivery;
    const known = jobs.find(({ memo }) => memo?.source !== undefined)?.memo?.source;
    this.#plan = parts.sources?.choose(message.reversePath || (message.submitter ?? ''), known);
    this.#hosts = this.#fromOurs(hostsOf(route));
    this.#tls = new AttemptTls(parts.tls, delivery);
    const hasIpv4 = this.#hosts.flat().some(({ address }) => !isIpv6(address));
    const ledger = new Ledger(jobs, { permanentFailures, hasIpv4 });
    ledger.isGuessing = route.isGuess === true;
    this.#ledger = ledger;
    const { messagesPerConnection, recipientsPerMessage } = parts.tables?.find(route) ?? {};
    this.#messagesPerConnection = messagesPerConnection;
    this.#transactions = new Transactions({
      message,
      content,
      ledger,
      timeouts,
      recipientsPerMessage,
      signers,
      now: parts.clock?.now ?? systemClock.now,
    });
  }

  get isOver(): boolean {
    return this.#ledger.pending.length === 0 || this.#isShutOut || this.#delivery.signal?.aborted === true;
  }

  #acceptable(endpoints: readonly Endpoint[]): readonly Endpoint[] {
    return this.#ledger.moved === undefined ? endpoints : endpoints.filter(({ address }) => !isIpv6(address));
  }

  result(): Sent {
    const leftOver = this.#tls.leftOver(this.#ledger.trouble) ?? notReached;
    return { outcomes: this.#ledger.close(leftOver), events: this.#events };
  }

  /** Somebody waits, and not one connection came about. */
  get reachedNobody(): boolean {
    return !this.isOver && !this.#isConnected;
  }

  tryRoute(): Promise<void> {
    if (this.#hosts.length === 0) this.#ledger.trouble = noWayFromUs(`${this.#sourceRule}`);
    return this.#tryHosts(this.#hosts);
  }

  /** The same endpoints, but from which of our addresses, and only as far as these have a way there. */
  #fromOurs(hosts: readonly (readonly Endpoint[])[]): readonly (readonly Endpoint[])[] {
    if (this.#plan === undefined) return hosts;
    const planned = withSources(hosts, this.#plan);
    this.#sourceRule = planned.rule;
    return planned.hosts;
  }

  async #tryHosts(hosts: readonly (readonly Endpoint[])[]): Promise<void> {
    for (const host of hosts) {
      let endpoints = this.#acceptable(host);
      while (endpoints.length > 0 && !this.isOver)
        endpoints = this.#acceptable(await this.#tryHost(endpoints));
    }
  }

  /** Only a delivery counts here; without one, it is the hosts of the route that were not reached. */
  async guess({ hosts, routed }: Guesses): Promise<void> {
    this.#events.push(routed);
    const ledger = this.#ledger;
    ledger.isGuessing = true;
    const { trouble } = ledger;
    await this.#tryHosts(this.#fromOurs(hosts));
    ledger.trouble = trouble;
  }

  /** Tries the addresses of one host until one of them is spoken to. Resolves to those that are left. */
  async #tryHost(
    endpoints: readonly Endpoint[],
    demand = this.#tls.demandFor(endpoints[0]?.host ?? ''),
  ): Promise<readonly Endpoint[]> {
    const idle = this.#pool.take(endpoints, demand);
    if (idle !== undefined && (await this.#use(idle)) === 'used') return without(endpoints, [idle]);
    const { loan, refused } = await this.#pool.open(endpoints, this.#delivery.signal, demand);
    for (const each of refused) {
      this.#tls.refused(each);
      this.#ledger.trouble = classifyOpening(each.verdict, withOurs(each.endpoint, each.source));
      this.#isConnected ||= each.dialogue !== undefined;
      this.#isShutOut ||= each.verdict.by !== 'connection' && each.verdict.phase === 'authenticating';
      const fault = each.verdict.by === 'policy' ? each.verdict.fault : undefined;
      this.#record({ ...each, fault, reused: false }, errorOf(each.verdict));
    }
    if (loan === undefined) return without(endpoints, refused);
    const left = without(endpoints, [loan, ...refused]);
    return (await this.#use(loan)) === 'again' ? [loan.endpoint, ...left] : left;
  }

  /** Where TLS is broken for good, and no policy asks for it: after all hosts have been tried with it. */
  async tryInClear(): Promise<void> {
    for (const { endpoints, demand } of this.#tls.clearTextHosts()) {
      let rest = this.#acceptable(endpoints);
      while (rest.length > 0 && !this.isOver) rest = this.#acceptable(await this.#tryHost(rest, demand));
    }
  }

  /**
   * `again`, over another connection to the same endpoint: this one stood idle and turned out dead before it took anything
   * of this message, or may not take more, or we have learned how to speak to its owner.
   */
  async #use(loan: Loan): Promise<'used' | 'again'> {
    const { conversation, tls, fault } = loan.session;
    const lacking = this.#tls.opened(loan);
    if (lacking !== undefined) {
      this.#ledger.trouble = lacking;
      this.#isConnected = true;
      this.#record({ ...loan, tls, dialogue: conversation.dialogue }, lacking.reason);
      this.#pool.giveBack(loan);
      return 'used';
    }
    const broken = await closingOnAbort(conversation, this.#delivery.signal, () =>
      this.#transactions.over(loan),
    );
    if (broken?.isStale) conversation.close();
    this.#isConnected ||= !broken?.isStale || broken.flaw !== undefined;
    if (broken?.flaw) this.#pool.noteFlaw(loan, broken.flaw);
    const { localAddress: source, dialogue } = conversation;
    const { converted } = this.#transactions;
    const moved = this.#ledger.moved?.rule;
    this.#record({ ...loan, source, tls, fault, dialogue, moved, converted }, broken?.error);
    this.#pool.giveBack(loan, this.#messagesPerConnection);
    if (broken !== undefined) return broken.isStale ? 'again' : 'used';
    return this.#ledger.pending.length > 0 && loan.session.quota?.isUsedUp ? 'again' : 'used';
  }

  #record(connection: Omit<Tried, 'sourceRule' | 'error'>, error: string | undefined): void {
    const { message, jobs } = this.#delivery;
    const recipient = jobs.length === 1 ? jobs[0]?.recipient : undefined;
    this.#events.push({
      at: connection.startedAt,
      queueId: message.queueId,
      ...(recipient !== undefined && { recipient }),
      event: 'attempted',
      data: {
        ...attemptData({ ...connection, sourceRule: this.#sourceRule, error }),
        ...this.#tls.facts(connection.endpoint, connection),
      },
    });
  }
}

const without = (endpoints: readonly Endpoint[], tried: readonly { endpoint: Endpoint }[]): Endpoint[] =>
  endpoints.filter((each) => !tried.some(({ endpoint }) => endpoint === each));

const noWayFromUs = (reason: string): Outcome & Trouble => ({
  kind: 'deferred',
  status: '4.4.4',
  reason,
  phase: 'choosing an address of ours',
  rule: 'for the operator to mend: give this sender a [[source]]; tried again later',
  isOurs: true,
});

/** Of those who were still to come when the attempt was stopped, or when the last connection was lost. */
const notReached = {
  kind: 'deferred',
  status: '4.3.2',
  reason: 'the attempt ended before the turn of this recipient came',
  phase: 'connecting',
  rule: 'it did not come to an answer: try again later',
} as const satisfies Outcome;
