/**
 * One attempt to bring one message to some of its recipients at one site (RFC 5321 §5.1): hosts in order, each of
 * their addresses in its turn, until one of them has answered for every recipient. Every recipient gets an outcome of its own.
 *
 * A host that answers speaks for the site: what it defers is tried again later, not at the next host at once (a
 * greylisting site would count that against us). The next address is for connections that fail, as long as the
 * final dot has not gone out; after it, another host could make two messages of one. One complaint is about our address
 * alone: who refuses our IPv6 gets the same message at once over IPv4 (failure-rules.ts).
 */

import type { DkimSigner } from '../authentication/dkim-sign.ts';
import type { DossierEvent, Endpoint } from '../dossier/event.ts';
import type { Session } from '../smtp/client.ts';
import { type ClientTimeouts, defaultTimeouts } from '../smtp/client-timeouts.ts';
import { recipientsPerTransaction, sendTransaction, type Transaction } from '../smtp/client-transaction.ts';
import type { Flaw, Verdict } from '../smtp/client-verdict.ts';
import type { JobRow, MessageRow } from '../store/store.ts';
import { AttemptTls, type SendTlsParts } from './attempt-tls.ts';
import { attemptData, type Tried, withOurs } from './attempted.ts';
import { classify, classifyOpening } from './classify.ts';
import { isIpv6, type PermanentFailures } from './failure-rules.ts';
import type { Fallback, Guesses } from './fallback.ts';
import type { Outcome, Trouble } from './outcome.ts';
import { type ConnectionPool, closingOnAbort, type Loan } from './pool.ts';
import { hostsOf, type Route } from './route.ts';
import { sevenBitCopy } from './seven-bit-copy.ts';
import type { SiteTable, SiteTables } from './site-tables.ts';
import { type SourceChooser, type SourcePlan, withSources } from './sources.ts';
import type { HostPolicy } from './tls-policy.ts';
import { allowsNextAddress, errorOf, hasFlaw, isDeadBeforeMail, isTooMany, withoutIt } from './verdicts.ts';

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
  /** Absent: nothing is remembered of handshakes that fail, and nobody is told. */
  tls?: SendTlsParts;
}

export interface Delivery {
  route: Route;
  /** By host. Those without one are opportunistic. */
  policies?: ReadonlyMap<string, HostPolicy>;
  /** There are more hosts, which cannot be used now. */
  isIncomplete?: true;
  message: MessageRow;
  /** Begins to read prefix and content; called once per transaction. */
  content: () => Iterable<Buffer> | AsyncIterable<Buffer>;
  /** Never empty. */
  jobs: readonly JobRow[];
  /** Finds where to go when no host of the route could be connected to. */
  fallback?: Fallback | undefined;
  /** Ends the attempt; who has no answer by then is deferred, or in doubt. */
  signal?: AbortSignal;
}

export interface Sent {
  /** By job number; every job has one. */
  outcomes: Map<number, Outcome>;
  /** One `attempted` for each connection that was tried. */
  events: DossierEvent[];
}

/** Makes one attempt. Never rejects but for a bug. */
export async function send(parts: SendParts, delivery: Delivery): Promise<Sent> {
  const attempt = new Attempt(parts, delivery);
  await attempt.tryRoute();
  await attempt.tryInClear();
  if (delivery.fallback && attempt.reachedNobody) await attempt.guess(await delivery.fallback());
  return attempt.result();
}

class Attempt {
  readonly #pool: ConnectionPool;
  readonly #timeouts: ClientTimeouts;
  readonly #policy: PermanentFailures;
  readonly #limits: Pick<SiteTable, 'messagesPerConnection' | 'recipientsPerMessage'>;
  readonly #delivery: Delivery;
  readonly #plan: SourcePlan | undefined;
  readonly #outcomes = new Map<number, Outcome>();
  readonly #events: DossierEvent[] = [];
  /** Those without an outcome, who go to the next address. */
  #pending: readonly JobRow[];
  /** What they get if there is none. */
  #trouble: Outcome | undefined;
  readonly #hosts: readonly (readonly Endpoint[])[];
  /** Why from these of our addresses. */
  #sourceRule: string | undefined;
  readonly #tls: AttemptTls;
  readonly #hasIpv4: boolean;
  /** Our IPv6 address was refused in this way: the rest goes over IPv4, once, since nobody complains of IPv6 there. */
  #moved: (Outcome & Trouble) | undefined;
  #isConnected = false;
  readonly #signers: ReadonlyMap<string, DkimSigner>;
  #copy: ReturnType<typeof sevenBitCopy> | undefined;
  /** How the message differs from what was accepted, on the connection at hand. */
  #converted: string | undefined;
  /** Our login was refused: the same at the next address would only bring us closer to being locked out. */
  #isShutOut = false;
  /** Hosts that do not speak for the domain. */
  #isGuessing: boolean;

  constructor(parts: SendParts, delivery: Delivery) {
    const { pool, timeouts = defaultTimeouts, permanentFailures = 'careful' } = parts;
    this.#pool = pool;
    this.#timeouts = timeouts;
    this.#policy = permanentFailures;
    this.#signers = parts.signers ?? new Map();
    this.#limits = parts.tables?.find(delivery.route) ?? {};
    this.#delivery = delivery;
    this.#pending = delivery.jobs;
    const known = delivery.jobs.find(({ memo }) => memo?.source !== undefined)?.memo?.source;
    this.#plan = parts.sources?.choose(delivery.message.reversePath, known);
    this.#hosts = this.#fromOurs(hostsOf(delivery.route));
    this.#hasIpv4 = this.#hosts.flat().some(({ address }) => !isIpv6(address));
    this.#isGuessing = delivery.route.isGuess === true;
    this.#tls = new AttemptTls(parts.tls, delivery);
  }

  get isOver(): boolean {
    return this.#pending.length === 0 || this.#isShutOut || this.#delivery.signal?.aborted === true;
  }

  #acceptable(endpoints: readonly Endpoint[]): readonly Endpoint[] {
    return this.#moved === undefined ? endpoints : endpoints.filter(({ address }) => !isIpv6(address));
  }

  result(): Sent {
    const outcome = this.#tls.leftOver(this.#trouble) ?? notReached;
    for (const { number } of this.#pending) this.#outcomes.set(number, outcome);
    return { outcomes: this.#outcomes, events: this.#events };
  }

  /** Somebody waits, and not one connection came about. */
  get reachedNobody(): boolean {
    return !this.isOver && !this.#isConnected;
  }

  tryRoute(): Promise<void> {
    if (this.#hosts.length === 0)
      this.#trouble = { ...notReached, status: '4.4.4', reason: `${this.#sourceRule}` };
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
    this.#isGuessing = true;
    const trouble = this.#trouble;
    await this.#tryHosts(this.#fromOurs(hosts));
    this.#trouble = trouble;
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
      this.#trouble = classifyOpening(each.verdict, withOurs(each.endpoint, each.source));
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
    if (this.isOver) return;
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
      this.#trouble = lacking;
      this.#isConnected = true;
      this.#record({ ...loan, tls, dialogue: conversation.dialogue }, lacking.reason);
      this.#pool.giveBack(loan);
      return 'used';
    }
    this.#converted = undefined;
    const broken = await closingOnAbort(conversation, this.#delivery.signal, () => this.#converse(loan));
    if (broken?.isStale) conversation.close();
    this.#isConnected ||= !broken?.isStale || broken.flaw !== undefined;
    if (broken?.flaw) this.#pool.noteFlaw(loan, broken.flaw);
    const { localAddress: source, dialogue } = conversation;
    this.#record(
      { ...loan, source, tls, fault, dialogue, moved: this.#moved?.rule, converted: this.#converted },
      broken?.error,
    );
    this.#pool.giveBack(loan, this.#limits.messagesPerConnection);
    if (broken !== undefined) return broken.isStale ? 'again' : 'used';
    return this.#pending.length > 0 && loan.session.quota?.isUsedUp ? 'again' : 'used';
  }

  /**
   * As many transactions as it takes: for recipients beyond our limit for one, or beyond the receiver's. Resolves to
   * what broke them off, if something did.
   */
  async #converse({ session, endpoint, reused }: Loan): Promise<Broken | undefined> {
    const spoken = withOurs(endpoint, session.conversation.localAddress);
    let rest = this.#pending;
    for (let isFirst = true; rest.length > 0; isFirst = false) {
      const { recipientsPerMessage = recipientsPerTransaction } = this.#limits;
      const room = rest.slice(0, Math.min(recipientsPerMessage, recipientsPerTransaction));
      const jobs = session.quota?.admit(room) ?? room;
      if (jobs.length === 0) break;
      session.quota?.use(jobs);
      const verdicts = await this.#transact(session, jobs);
      const dead = reused && isFirst ? verdicts.find(isDeadBeforeMail) : undefined;
      if (dead !== undefined) return { error: errorOf(dead), isStale: true };
      const flawed = verdicts.find(hasFlaw);
      if (flawed !== undefined) return { error: withoutIt(flawed), isStale: true, flaw: flawed.flaw };
      const again = this.#settle(jobs, verdicts, { session, endpoint: spoken });
      const broken = verdicts.find(({ by }) => by === 'connection');
      if (broken !== undefined) return { error: errorOf(broken), isStale: false };
      rest = [...again, ...after(rest, jobs)];
    }
    return undefined;
  }

  #transact(session: Session, jobs: readonly JobRow[]): Promise<Verdict[]> {
    const { message, content } = this.#delivery;
    const { reversePath, sizeBytes, smtputf8 } = message;
    const recipients = jobs.map(({ recipient }) => recipient);
    const transaction = {
      reversePath,
      recipients,
      sizeBytes,
      smtputf8,
      content,
      inSevenBit: this.#inSevenBit,
      ...requestsOf(message, jobs),
    };
    return sendTransaction(session, transaction, this.#timeouts);
  }

  /** Made once, for the first receiver that needs it. */
  readonly #inSevenBit = async () => {
    const { message, content } = this.#delivery;
    this.#copy ??= sevenBitCopy({ signers: this.#signers, message, content });
    const copy = await this.#copy;
    if (copy && 'content' in copy) this.#converted = converted;
    return copy;
  };

  /** Writes outcomes down. Returns those for whom the same host has room in a transaction of their own. */
  #settle(
    jobs: readonly JobRow[],
    verdicts: readonly Verdict[],
    { session, endpoint }: Pick<Loan, 'session' | 'endpoint'>,
  ): JobRow[] {
    const hadRoom = verdicts.some(({ by, phase }) => by === 'reply' && phase === 'sending end of data');
    const again: JobRow[] = [];
    for (const [index, job] of jobs.entries()) {
      const verdict = verdicts[index];
      if (verdict === undefined) throw new Error(`No verdict for recipient ${job.number} of ${job.queueId}`);
      const outcome = this.#classify(verdict, endpoint);
      if (job.requests && outcome.kind === 'delivered' && session.extensions.has('DSN'))
        outcome.reportsThere = true;
      if (hadRoom && isTooMany(verdict)) again.push(job);
      else if (allowsNextAddress(verdict)) this.#trouble = outcome;
      else if (this.#hasIpv4 && 'remedy' in outcome && outcome.remedy === 'IPv4')
        this.#moved = this.#trouble = outcome;
      else this.#outcomes.set(job.number, outcome);
    }
    this.#pending = this.#pending.filter(({ number }) => !this.#outcomes.has(number));
    return again;
  }

  #classify(verdict: Verdict, endpoint: Endpoint): Outcome {
    const outcome = classify(verdict, endpoint, this.#policy);
    return this.#isGuessing && outcome.kind === 'failed' ? ofGuess(outcome) : outcome;
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

/** What broke a connection off. */
interface Broken {
  error: string;
  /** Nothing of the message was handed over: the same may go well over another connection. */
  isStale: boolean;
  flaw?: Flaw;
}

const converted =
  'the receiver has no 8BITMIME: 8-bit parts were written in quoted-printable or base64, and the message signed anew';

/** The others, in their order: nearly always those behind. */
function after(rest: readonly JobRow[], done: readonly JobRow[]): readonly JobRow[] {
  return rest[done.length - 1] === done.at(-1)
    ? rest.slice(done.length)
    : rest.filter((job) => !done.includes(job));
}

const without = (endpoints: readonly Endpoint[], tried: readonly { endpoint: Endpoint }[]): Endpoint[] =>
  endpoints.filter((each) => !tried.some(({ endpoint }) => endpoint === each));

/** Nothing for nearly all mail. */
function requestsOf(
  { requests }: MessageRow,
  jobs: readonly JobRow[],
): Pick<Transaction, 'requests' | 'recipientRequests'> {
  return {
    ...(requests && { requests }),
    ...(jobs.some((job) => job.requests) && { recipientRequests: jobs.map((job) => job.requests) }),
  };
}

/** A host that DNS does not name for the domain may refuse for reasons of its own: a relay denied, AUTH demanded. */
function ofGuess({ remedy: _, ...refused }: Outcome & { kind: 'failed' }): Outcome {
  const status = refused.status.replace(/^5/, '4');
  const rule = 'a refusal where only the fallback leads: the MX hosts are tried again later';
  return { ...refused, kind: 'deferred', status, rule };
}

/** Of those who were still to come when the attempt was stopped, or when the last connection was lost. */
const notReached = {
  kind: 'deferred',
  status: '4.3.2',
  reason: 'the attempt ended before the turn of this recipient came',
  phase: 'connecting',
  rule: 'no answer: try again later',
} as const satisfies Outcome;
