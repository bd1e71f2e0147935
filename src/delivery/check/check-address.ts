/**
 * Whether mail for an address would arrive, found out without sending any (M11): syntax → DNS → TLS policy → a question
 * to the receiver, and another about an address that cannot exist there. Honest where nothing can be known: a receiver that
 * greylists, that accepts everything, or that has something against us says nothing about the address.
 */

import type { Resolver } from '../../dns/resolver.ts';
import type { Endpoint } from '../../dossier/event.ts';
import { reasonForTransport } from '../../dossier/words.ts';
import { type Address, formatAddress, needsSmtputf8, parseAddress } from '../../mail/address.ts';
import { quit } from '../../smtp/client.ts';
import { type ClientTimeouts, defaultTimeouts } from '../../smtp/client-timeouts.ts';
import type { Clock } from '../../util/clock.ts';
import type { DialogueLine } from '../../util/dialogue.ts';
import { type ConnectionPool, closingOnAbort, type Loan, type Refused } from '../connections/pool.ts';
import { findRoute, hostsOf, type Route, type RouteOptions, routedData } from '../route/route.ts';
import { type SourceChooser, withSources } from '../route/sources.ts';
import { findTlsPlan, type TlsParts, type TlsPlan } from '../tls/tls-policy.ts';
import { demandOf } from '../tls/tls-verdict.ts';
import type { TransportChoice, TransportFinder } from '../transports/transport-choice.ts';
import {
  type AddressVerdict,
  answerOf,
  askReceiver,
  type CheckStep,
  type Circumstances,
  type Conclusion,
  cannotTell,
  capital,
  type NoteStep,
  undeliverable,
} from './callout.ts';

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

export interface CheckParts {
  resolver: Resolver;
  route: RouteOptions;
  pool: Pick<ConnectionPool, 'open'>;
  /** Absent: policies are not looked for. */
  tls?: TlsParts;
  /** What mail goes by that does not go by MX. */
  findTransport?: TransportFinder['find'];
  /** From which of our addresses it is asked. */
  sources?: SourceChooser;
  clock: Clock;
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
    const route = await this.#findRoute(address.domain);
    return 'verdict' in route ? route : this.#ask(route, address);
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

  async #findRoute(domain: string): Promise<Route | Conclusion> {
    const chosen = this.#parts.findTransport?.(domain, { reversePath: '' });
    const relayed = chosen === undefined || chosen.transport.way.protocol === 'mx' ? undefined : chosen;
    // What goes everywhere by another server has to be in DNS all the same; what goes to one place has not.
    if (relayed !== undefined && !relayed.transport.domains.includes('*'))
      return this.#goesElsewhere(relayed);
    const { resolver, route: options } = this.#parts;
    const { fallback: _fallback, ...direct } = options;
    const route = await findRoute(resolver, domain, { ...direct, signal: this.#signal });
    const { answers, hosts } = routedData(route);
    if (route.kind !== 'route') {
      const isFinal = route.kind === 'failed';
      this.#note('route', isFinal ? 'bad' : 'unclear', `No way there: ${route.reason}.`, answers);
      return isFinal ? undeliverable(`${capital(route.reason)}.`) : cannotTell(`${capital(route.reason)}.`);
    }
    this.#note('route', 'good', `Mail for ${domain} goes to ${hosts.join(', ')}.`, answers);
    return relayed === undefined ? route : this.#goesElsewhere(relayed);
  }

  /** Its answer would be about what it relays, not about the address. */
  #goesElsewhere({ why, transport: { way } }: TransportChoice): Conclusion {
    const by = way.protocol === 'pipe' ? 'a program' : 'another server';
    this.#note('route', 'unclear', `Our mail for it goes through ${by}: ${reasonForTransport(why)}.`);
    return cannotTell(`Our mail for it goes through ${by}, which is not asked: it would answer for itself.`);
  }

  /** The first host that can be spoken to, as its TLS policy wants it, speaks for the domain. */
  async #ask(route: Route, address: Address): Promise<Conclusion> {
    const { tls, sources, clock, pool } = this.#parts;
    // Nobody is told of it: a question is no session of mail (RFC 8460 §4).
    const silent = tls && { ...tls, onTlsResult: undefined };
    const policy = silent && (await findTlsPlan(silent, route, { signal: this.#signal }));
    if (policy !== undefined) this.#notePolicy(policy);
    if (policy?.trouble !== undefined) return cannotTell(`${capital(policy.trouble.reason)}.`);
    const failures: string[] = [];
    const plan = sources?.choose('');
    const hosts = hostsOf(policy?.route ?? route);
    const planned = plan ? withSources(hosts, plan) : { hosts };
    if (planned.rule !== undefined) failures.push(planned.rule);
    for (const endpoints of planned.hosts) {
      const host = endpoints[0]?.host ?? '';
      const demand = demandOf(policy?.policies.get(host), host, clock.now);
      const { loan, refused } = await pool.open(endpoints, this.#signal, demand);
      this.#signal.throwIfAborted();
      for (const each of refused) failures.push(this.#refusal(each));
      if (loan !== undefined) return this.#converse(loan, address);
    }
    this.#note('question', 'unclear', 'No host could be spoken to.', failures);
    return cannotTell('None of its hosts could be spoken to now.');
  }

  #notePolicy({ policies, notes, trouble }: TlsPlan): void {
    const text =
      policies.size === 0 ? 'No policy: TLS is used where it is offered.' : 'There is a policy for TLS.';
    if (trouble === undefined) this.#note('policy', 'good', text, [...notes]);
    else this.#note('policy', 'unclear', 'Its policy for TLS leaves no host to be asked.', [...notes]);
  }

  #refusal({ endpoint, verdict, dialogue }: Refused): string {
    if (dialogue !== undefined) this.dialogue = [...dialogue.excerpt().lines];
    return `${placeOf(endpoint)}: ${answerOf(verdict)}`;
  }

  #circumstances(): Circumstances {
    const { timeouts, nobody } = this.#parts;
    return { timeouts, nobody, signal: this.#signal, note: (...step) => this.#note(...step) };
  }

  async #converse(loan: Loan, address: Address): Promise<Conclusion> {
    const { session } = loan;
    const { conversation, tls } = session;
    const about = tls
      ? `${tls.version}, certificate: ${tls.certificate ?? 'not looked at'}`
      : 'in clear text';
    this.#note('TLS', 'good', `Spoke with ${placeOf(loan.endpoint)}, ${about}.`);
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

const placeOf = ({ host, address, port }: Endpoint): string => `${host} (${address} port ${port})`;
