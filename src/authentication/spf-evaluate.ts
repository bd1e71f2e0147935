/**
 * SPF's check_host(): what the record of a domain, and those that it refers to, say of an address. With its limits on
 * look-ups; explanations are not fetched, as nobody is to be shown what strangers write. RFC 7208 §4, §5, §6.1.
 */

import { reverseName } from '../dns/reverse.ts';
import type { MaybePromise } from '../util/maybe-promise.ts';
import type { LookUps } from './look-ups.ts';
import { dottedNibbles, isInNetwork, octetsOf } from './spf-address.ts';
import { expandDomain, type MacroValues } from './spf-macro.ts';
import { type Directive, isSpfRecord, readSpfRecord, type SpfRecord } from './spf-record.ts';
import type { SpfResult } from './verdicts.ts';

/** RFC 7208 §4.6.4. */
export const spfLimits = {
  /** Terms that look something up. */
  terms: 10,
  /** Look-ups of theirs without an answer. */
  voids: 2,
  /** MX hosts of one `mx`: more are an error. */
  exchanges: 10,
  /** Reverse names that are looked at. */
  reverseNames: 10,
} as const;

export interface SpfClient {
  /** Canonical; IPv4 in IPv6 clothes is IPv4. */
  address: string;
  /** Of the address, four or sixteen. */
  octets: readonly number[];
  helo: string;
  /** `local@domain`. */
  sender: string;
}

export interface Evaluation {
  result: SpfResult;
  /** What matched, from the first record down to the one that holds the mechanism. */
  path: readonly string[];
  /** The record that decided, and whose it is. */
  record?: string;
  recordDomain?: string;
  /** What is wrong; for `temperror` and `permerror`. */
  problem?: string;
}

/** Evaluates the record of `domain` (A-labels). */
export function evaluateSpf(lookUps: LookUps, client: SpfClient, domain: string): Promise<Evaluation> {
  return new SpfEvaluation(lookUps, client).checkHost(domain);
}

/** Ends the evaluation with an error, from whatever depth; caught in checkHost(). */
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
  #reverseNames: Promise<string[]> | undefined;

  constructor(lookUps: LookUps, client: SpfClient) {
    this.#lookUps = lookUps;
    this.#client = client;
  }

  async checkHost(domain: string): Promise<Evaluation> {
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
    const reading = readOnce(answer.records);
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
      return { ...deeper, path: [directive.text, ...deeper.path], result: results[directive.qualifier] };
    }
    if (record.redirect === undefined) return { result: 'neutral', path: [], ...told };
    return this.#redirect(domain, record.redirect);
  }

  /** The other record takes the place of this one (§6.1). */
  async #redirect(domain: string, spec: string): Promise<Evaluation> {
    this.#countTerm();
    const target = await this.#expand(spec, domain);
    const found = await this.checkHost(target);
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
        return this.#hasNameBelow(target);
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
    const found = await this.checkHost(target);
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
    const addresses = await this.#look(name, this.#addressType);
    const bits = octets.length === 4 ? bits4 : bits6;
    return addresses.some((address) => isInNetwork(octets, octetsOf(address), bits));
  }

  get #addressType(): 'A' | 'AAAA' {
    return this.#client.octets.length === 4 ? 'A' : 'AAAA';
  }

  /** Whether a name of the client's that leads back to it is `target` or below it (§5.5); a failure is as none. */
  async #hasNameBelow(target: string): Promise<boolean> {
    const lower = target.toLowerCase();
    this.#reverseNames ??= this.#findReverseNames();
    const names = (await this.#reverseNames).filter((name) => name === lower || name.endsWith(`.${lower}`));
    for (const name of names) if (await this.#leadsBack(name)) return true;
    return false;
  }

  async #findReverseNames(): Promise<string[]> {
    const answer = await this.#lookUps.ask(reverseName(this.#client.address), 'PTR');
    if (answer.status !== 'found') {
      if (answer.status === 'none') this.#countVoid();
      return [];
    }
    return answer.records.slice(0, spfLimits.reverseNames).map((name) => name.toLowerCase());
  }

  async #leadsBack(name: string): Promise<boolean> {
    const answer = hasValidLengths(name) ? await this.#lookUps.ask(name, this.#addressType) : undefined;
    return (
      answer?.status === 'found' &&
      answer.records.some((address) => isInNetwork(this.#client.octets, octetsOf(address), 128))
    );
  }

  /** `%{p}` (§7.3): the domain's own name first, then one below it, then any; `unknown` without one. */
  async #validatedName(domain: string): Promise<string> {
    this.#reverseNames ??= this.#findReverseNames();
    const names = await this.#reverseNames;
    const lower = domain.toLowerCase();
    const ranked = [
      ...names.filter((name) => name === lower),
      ...names.filter((name) => name.endsWith(`.${lower}`)),
      ...names,
    ];
    for (const name of new Set(ranked)) if (await this.#leadsBack(name)) return name;
    return 'unknown';
  }

  #expand(spec: string, domain: string): Promise<string> {
    if (!spec.includes('%')) return Promise.resolve(spec.replace(/\.$/, ''));
    const { address, octets, helo, sender } = this.#client;
    const values: MacroValues = {
      sender,
      domain,
      dottedAddress: octets.length === 4 ? address : dottedNibbles(octets),
      version: octets.length === 4 ? 'in-addr' : 'ip6',
      helo,
      validatedName: () => this.#validatedName(domain),
    };
    return expandDomain(spec, values);
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

/** By the answer's own records: a resolver that keeps an answer gives the same ones again. */
const readings = new WeakMap<object, { reading: SpfRecord | { problem: string } | undefined }>();

/** The one SPF record among those of a name; several are an error (§4.5). */
function readOnce(records: readonly string[][]): SpfRecord | { problem: string } | undefined {
  const known = readings.get(records);
  if (known) return known.reading;
  const [text, ...others] = records.map((strings) => strings.join('')).filter(isSpfRecord);
  const several = { problem: 'there are several' };
  const reading = text === undefined ? undefined : others.length > 0 ? several : readSpfRecord(text);
  readings.set(records, { reading });
  return reading;
}

/** Several labels, and nothing that no name holds (§4.3). */
function canHaveRecord(domain: string): boolean {
  return domain.includes('.') && hasValidLengths(domain);
}

/** Not `isAskableName()`: a macro may expand to a name with a space, and RFC 7208's suite asks for one. */
function hasValidLengths(name: string): boolean {
  return name.length <= 253 && name.split('.').every((label) => label.length > 0 && label.length <= 63);
}
