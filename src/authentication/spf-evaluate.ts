/**
 * SPF's check_host(): what the record of a domain, and those that it refers to, say of an address, and how the domain explains a
 * failure. With its limits on look-ups. RFC 7208 §4, §5, §6.
 */

import type { MaybePromise } from '../util/maybe-promise.ts';
import type { LookUps } from './look-ups.ts';
import { dottedNibbles, isInNetwork, octetsOf } from './spf-address.ts';
import { explanationIn } from './spf-explanation.ts';
import { expandDomain, expandText, type MacroValues, type Receiver } from './spf-macro.ts';
import { type Directive, readSpfAnswer, type SpfRecord } from './spf-record.ts';
import { addressTypeOf, hasValidLengths, ReverseNames, type SpfAddress } from './spf-reverse-names.ts';
import type { SpfResult } from './verdicts.ts';

/** RFC 7208 §4.6.4. */
export const spfLimits = {
  /** Terms that look something up. */
  terms: 10,
  /** Look-ups of theirs without an answer. */
  voids: 2,
  /** MX hosts of one `mx`: more are an error. */
  exchanges: 10,
} as const;

export interface SpfClient extends SpfAddress {
  helo: string;
  /** `local@domain`. */
  sender: string;
  /** Who asks: explanations may name it, and are fetched only where it is known. */
  receiver?: Receiver;
}

export interface Evaluation {
  result: SpfResult;
  /** What matched, from the first record down to the one that holds the mechanism. */
  path: readonly string[];
  /** The record that decided, and whose it is. */
  record?: string;
  recordDomain?: string;
  /** Of the record that failed the client: where its explanation is, as a domain-spec, and whose record it is. */
  explained?: { by: string; of: string } | undefined;
  /** Of a failure, in the words of the domain. */
  explanation?: string;
  /** What is wrong; for `temperror` and `permerror`. */
  problem?: string;
}

/** Evaluates the record of `domain` (A-labels). */
export function evaluateSpf(lookUps: LookUps, client: SpfClient, domain: string): Promise<Evaluation> {
  return new SpfEvaluation(lookUps, client).evaluate(domain);
}

/** Ends the evaluation with an error, from whatever depth; caught in #checkHost() and #explain(). */
class SpfError extends Error {
  readonly result: 'temperror' | 'permerror';

  constructor(result: 'temperror' | 'permerror', problem: string) {
    super(problem);
    this.result = result;
  }
}

type LookedUp = Extract<Directive, { kind: 'include' | 'exists' | 'ptr' | 'a' | 'mx' }>;

interface PrefixLengths {
  bits4: number;
  bits6: number;
}

const results = { '+': 'pass', '-': 'fail', '~': 'softfail', '?': 'neutral' } as const;

class SpfEvaluation {
  readonly #lookUps: LookUps;
  readonly #client: SpfClient;
  #terms = 0;
  #voids = 0;
  readonly #reverseNames: ReverseNames;

  constructor(lookUps: LookUps, client: SpfClient) {
    this.#lookUps = lookUps;
    this.#client = client;
    this.#reverseNames = new ReverseNames(lookUps, client, () => this.#countVoid());
  }

  async evaluate(domain: string): Promise<Evaluation> {
    const found = await this.#checkHost(domain);
    if (found.result !== 'fail' || !found.explained || !this.#client.receiver) return found;
    const explanation = await this.#explain(found.explained);
    return explanation ? { ...found, explanation } : found;
  }

  async #checkHost(domain: string): Promise<Evaluation> {
    let record: SpfRecord | undefined;
    try {
      record = await this.#findRecord(domain);
      if (record === undefined) return { result: 'none', path: [] };
      return await this.#evaluate(domain, record);
    } catch (error) {
      if (!(error instanceof SpfError)) throw error;
      const told = record && { record: record.text, recordDomain: domain };
      return { result: error.result, path: [], problem: error.message, ...told };
    }
  }

  async #findRecord(domain: string): Promise<SpfRecord | undefined> {
    if (!canHaveRecord(domain)) return undefined;
    const answer = await this.#lookUps.ask(domain, 'TXT');
    if (answer.status === 'failed') throw new SpfError('temperror', `TXT of ${domain}: ${answer.detail}`);
    if (answer.status === 'none') return undefined;
    const reading = readSpfAnswer(answer.records);
    if (reading && 'problem' in reading)
      throw new SpfError('permerror', `the SPF record of ${domain} is invalid: ${reading.problem}`);
    return reading;
  }

  async #evaluate(domain: string, record: SpfRecord): Promise<Evaluation> {
    const told = { record: record.text, recordDomain: domain };
    for (const directive of record.directives) {
      const match = await this.#match(domain, directive);
      if (!match) continue;
      const deeper = typeof match === 'object' ? match : { ...told, path: [] };
      const path = [directive.text, ...deeper.path];
      // That of a record which is included is not asked for (§6.2).
      const explained = record.exp === undefined ? undefined : { by: record.exp, of: domain };
      return { ...deeper, path, explained, result: results[directive.qualifier] };
    }
    if (record.redirect === undefined) return { result: 'neutral', path: [], ...told };
    return this.#redirect(domain, record.redirect);
  }

  /** The other record takes the place of this one (§6.1). */
  async #redirect(domain: string, spec: string): Promise<Evaluation> {
    this.#countTerm();
    const target = await this.#expand(spec, domain);
    const found = await this.#checkHost(target);
    if (found.result === 'none')
      return { result: 'permerror', path: [], problem: `redirect=${target} leads to no SPF record` };
    return { ...found, path: [`redirect=${target}`, ...found.path] };
  }

  /** Whether the mechanism matches; an `include` that does says by what. */
  #match(domain: string, directive: Directive): MaybePromise<boolean | Evaluation> {
    switch (directive.kind) {
      case 'all':
        return true;
      case 'ip4':
      case 'ip6':
        return isInNetwork(this.#client.octets, directive.octets, directive.bits);
      default:
        this.#countTerm();
        return this.#matchLookedUp(domain, directive);
    }
  }

  async #matchLookedUp(domain: string, directive: LookedUp): Promise<boolean | Evaluation> {
    const target = await this.#expand(directive.domain ?? '%{d}', domain);
    switch (directive.kind) {
      case 'include':
        return this.#matchInclude(target);
      case 'exists':
        return (await this.#look(target, 'A')).length > 0;
      case 'ptr':
        return this.#reverseNames.hasOneBelow(target);
      case 'a':
        return this.#hasAddress(target, directive);
      case 'mx':
        return this.#hasExchange(target, directive);
    }
  }

  async #hasExchange(target: string, lengths: PrefixLengths): Promise<boolean> {
    const exchanges = await this.#look(target, 'MX');
    if (exchanges.length > spfLimits.exchanges)
      throw new SpfError('permerror', `${target} has more than ${spfLimits.exchanges} MX hosts`);
    for (const { exchange } of exchanges)
      if (exchange !== '' && (await this.#hasAddress(exchange, lengths))) return true;
    return false;
  }

  /** §5.2: only a pass of the other record is a match, and a record that is not there an error. */
  async #matchInclude(target: string): Promise<false | Evaluation> {
    const found = await this.#checkHost(target);
    switch (found.result) {
      case 'pass':
        return found;
      case 'temperror':
        throw new SpfError('temperror', found.problem ?? '');
      case 'permerror':
        throw new SpfError('permerror', found.problem ?? '');
      case 'none':
        throw new SpfError('permerror', `include:${target} leads to no SPF record`);
      default:
        return false;
    }
  }

  async #hasAddress(name: string, { bits4, bits6 }: PrefixLengths): Promise<boolean> {
    const { octets } = this.#client;
    const addresses = await this.#look(name, addressTypeOf(this.#client));
    const bits = octets.length === 4 ? bits4 : bits6;
    return addresses.some((address) => isInNetwork(octets, octetsOf(address), bits));
  }

  /** Whatever is wrong with it, it is as if there were none (§6.2). Its look-up is not among those that are counted. */
  async #explain({ by, of: domain }: { by: string; of: string }): Promise<string | undefined> {
    try {
      const name = await this.#expand(by, domain);
      const answer = hasValidLengths(name) ? await this.#lookUps.ask(name, 'TXT') : notThere;
      const text = answer.status === 'found' ? explanationIn(answer.records) : undefined;
      return text && (await expandText(text, this.#macroValues(domain)));
    } catch (error) {
      if (!(error instanceof SpfError)) throw error;
      return undefined;
    }
  }

  #expand(spec: string, domain: string): Promise<string> {
    if (!spec.includes('%')) return Promise.resolve(spec.replace(/\.$/, ''));
    return expandDomain(spec, this.#macroValues(domain));
  }

  #macroValues(domain: string): MacroValues {
    const { address, octets, helo, sender, receiver } = this.#client;
    return {
      sender,
      domain,
      address,
      dottedAddress: octets.length === 4 ? address : dottedNibbles(octets),
      version: octets.length === 4 ? 'in-addr' : 'ip6',
      helo,
      validatedName: () => this.#reverseNames.bestFor(domain),
      ...(receiver && { receiver }),
    };
  }

  /** The records of a name that a mechanism asks for; a name that none can have is not there. */
  async #look<T extends 'A' | 'AAAA' | 'MX'>(name: string, type: T) {
    const answer = hasValidLengths(name) ? await this.#lookUps.ask<T>(name, type) : notThere;
    if (answer.status === 'failed') throw new SpfError('temperror', `${type} of ${name}: ${answer.detail}`);
    if (answer.status === 'found') return answer.records;
    this.#countVoid();
    return [];
  }

  #countTerm(): void {
    if (++this.#terms > spfLimits.terms)
      throw new SpfError('permerror', `more than ${spfLimits.terms} terms look something up`);
  }

  #countVoid(): void {
    if (++this.#voids > spfLimits.voids)
      throw new SpfError('permerror', `more than ${spfLimits.voids} look-ups found nothing`);
  }
}

const notThere = { status: 'none', reason: 'nxdomain' } as const;

/** Several labels, and nothing that no name holds (§4.3). */
function canHaveRecord(domain: string): boolean {
  return domain.includes('.') && hasValidLengths(domain);
}
