/** The questions to DNS behind a route, and a record in words of every answer. Decides nothing. */

import type { Answer, MxRecord, Resolver } from '../../dns/resolver.ts';
import { addressClass, findFamily } from '../../net/addresses.ts';

export interface HostAddress {
  address: string;
  family: 4 | 6 | 'unix';
}

export interface Host {
  /** Name, or an address literal with its brackets, or a bare address. */
  host: string;
  preference: number;
  /** IPv6 and IPv4 by turns, IPv6 first. */
  addresses: readonly HostAddress[];
  /** Only where DNSSEC, or our own configuration, proves that mail is for a host of this name. */
  proven?: ProvenHost;
}

/** What DNSSEC says of the way from a proven name to its addresses. */
export interface ProvenHost {
  addresses: boolean;
  /** What the name is an alias of. */
  alias?: string;
}

/** Addresses of one host that are kept. */
export const maxAddressesPerHost = 8;

export class HostLookup {
  readonly answers: string[] = [];
  /** Why an address could not be found out, if that happened. */
  failure: string | undefined;
  /** The names of the hosts are proven; false as long as nothing says so. */
  namesAreProven = false;
  readonly #resolver: Resolver;
  readonly #signal: AbortSignal | undefined;

  constructor(resolver: Resolver, signal: AbortSignal | undefined) {
    this.#resolver = resolver;
    this.#signal = signal;
  }

  async mx(domain: string): Promise<Answer<MxRecord>> {
    const answer = await this.#resolver.resolve(domain, 'MX', this.#signal);
    // Also that there is no MX is proven or is not (RFC 7672 §2.2.2).
    this.namesAreProven = answer.status !== 'failed' && answer.authentic;
    this.#note(`MX ${domain}`, answer, ({ preference, exchange }) => `${preference} ${exchange || '.'}`);
    return answer;
  }

  /** An MX names a host, never an address (RFC 5321 §5.1); notes what was left out. */
  onlyNames(domain: string, exchanges: readonly MxRecord[]): MxRecord[] {
    return exchanges.filter(({ exchange }) => {
      const isName = findFamily(exchange) === undefined;
      if (!isName)
        this.answers.push(`MX ${domain}: ${exchange} left out, an address where a host's name must be`);
      return isName;
    });
  }

  /** The hosts with their addresses; one that has none stays, with an empty list. */
  async hosts(exchanges: readonly MxRecord[]): Promise<Host[]> {
    const found = await Promise.all(exchanges.map(({ exchange }) => this.#addressesOf(exchange)));
    return exchanges.map(({ exchange, preference }, index) => ({
      host: exchange,
      preference,
      addresses: [],
      ...found[index],
    }));
  }

  /** The hosts without addresses that are not public, noting what was left out and why. */
  withoutPrivate(hosts: readonly Host[]): Host[] {
    return hosts.map((host) => ({
      ...host,
      addresses: host.addresses.filter((each) => this.#isPublic(host, each)),
    }));
  }

  #isPublic({ host }: Host, { address }: HostAddress): boolean {
    const found = addressClass(address);
    if (found !== 'public') this.answers.push(`${host} [${address}]: left out, ${found} address`);
    return found === 'public';
  }

  async #addressesOf(host: string): Promise<Pick<Host, 'addresses' | 'proven'>> {
    const known = withoutQuestion(host);
    if (known !== undefined) return { addresses: known };
    const [six, four] = await Promise.all([
      this.#resolver.resolve(host, 'AAAA', this.#signal),
      this.#resolver.resolve(host, 'A', this.#signal),
    ]);
    this.#note(`AAAA ${host}`, six, String);
    this.#note(`A ${host}`, four, String);
    for (const answer of [six, four])
      if (answer.status === 'failed') this.failure ??= `${host}: ${answer.detail}`;
    const addresses = byTurns(recordsOf(six), recordsOf(four)).slice(0, maxAddressesPerHost);
    return this.namesAreProven ? { addresses, proven: proofOf([six, four]) } : { addresses };
  }

  #note<T>(question: string, answer: Answer<T>, text: (record: T) => string): void {
    this.answers.push(`${question}: ${answerText(answer, text)}`);
  }
}

function answerText<T>(answer: Answer<T>, text: (record: T) => string): string {
  if (answer.status === 'failed') return `not known now (${answer.detail})`;
  if (answer.status === 'none') return answer.reason === 'nxdomain' ? 'no such name' : 'no such record';
  return `${answer.records.map(text).join(', ')} (ttl ${answer.ttl}${answer.authentic ? ', DNSSEC' : ''})`;
}

/** One unsigned answer is enough for an address to be anybody's (RFC 7672 §2.2.3). */
function proofOf(answers: readonly Answer<string>[]): ProvenHost {
  const found = answers.filter((answer) => answer.status === 'found');
  const alias = found.find(({ canonicalName }) => canonicalName !== undefined)?.canonicalName;
  return { addresses: found.every(({ authentic }) => authentic), ...(alias !== undefined && { alias }) };
}

const recordsOf = (answer: Answer<string>): readonly string[] =>
  answer.status === 'found' ? answer.records : [];

/** A failing family costs one failed address before the other gets its turn. */
function byTurns(six: readonly string[], four: readonly string[]): HostAddress[] {
  const turns: HostAddress[] = [];
  for (let index = 0; index < Math.max(six.length, four.length); index++) {
    for (const address of [six[index], four[index]])
      if (address !== undefined) turns.push(...hostAddress(address));
  }
  return turns;
}

function hostAddress(address: string): HostAddress[] {
  const family = findFamily(address);
  return family === undefined ? [] : [{ address, family }];
}

/**
 * The addresses of what DNS need not be asked for: `192.0.2.1`, `[192.0.2.1]`, `[IPv6:2001:db8::1]` (RFC 5321 §4.1.3),
 * `localhost` (RFC 6761 §6.3).
 */
function withoutQuestion(host: string): HostAddress[] | undefined {
  if (host === 'localhost') return [hostAddress('::1'), hostAddress('127.0.0.1')].flat();
  const literal = hostAddress(host.replace(/^\[(?:IPv6:)?(.*)\]$/i, '$1'));
  return literal.length > 0 || host.startsWith('[') ? literal : undefined;
}
