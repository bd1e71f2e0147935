/**
 * Which TLS each host of a route has to show, found without a connection (decision 0013): DANE before MTA-STS before
 * nothing. What the message itself asks for comes on top (RFC 8689). Hosts that a policy does not allow, or of which it
 * could not be found out whether they have one, are passed over.
 */

import type { Resolver, TlsaRecord } from '../../dns/resolver.ts';
import { allowsHost } from '../../mta-sts/policy.ts';
import type { MessageRequests } from '../../store/message.ts';
import type { OnTlsResult, ReportedPolicy, TlsFailureType } from '../../tls-rpt/result.ts';
import type { Clock } from '../../util/clock.ts';
import type { MaybePromise } from '../../util/maybe-promise.ts';
import type { Trouble } from '../outcome.ts';
import type { Route } from '../route/route.ts';
import type { Host } from '../route/route-hosts.ts';
import { findDane } from './dane-look-up.ts';
import type { StsPolicyInForce } from './sts-memo.ts';
import type { StsPolicies } from './sts-policies.ts';

/** Of one host. One without a policy is spoken to as it comes: opportunistic. */
export type HostPolicy =
  /** A certificate that a TLSA record names; for a trust anchor, one of these names (RFC 7672 §3.2.2). */
  | { kind: 'dane'; base: string; names: readonly string[]; records: readonly TlsaRecord[] }
  /** TLS, whoever it is. */
  | { kind: 'encrypted'; base: string }
  /** A certificate for the host by authorities that we trust; or it is told that there was none. */
  | { kind: 'sts' | 'sts-testing'; policy: StsPolicyInForce }
  /** The same, since the message wants it (RFC 8689 §4.2.1). */
  | { kind: 'verified' };

export interface TlsParts {
  resolver: Resolver;
  clock: Clock;
  /** Absent: policies of MTA-STS are not looked for. */
  sts?: StsPolicies | undefined;
  onTlsResult?: OnTlsResult | undefined;
}

export interface DomainPolicies {
  domain: string;
  policies: ReadonlyMap<string, HostPolicy>;
}

export interface TlsPlan {
  /** With the hosts that may be used; it may have none. */
  route: Route;
  /** By host. Those without one are opportunistic. */
  policies: ReadonlyMap<string, HostPolicy>;
  /** Other domains at the same hosts, which ask for the same, each by its own policies: the dialogue is theirs too. */
  shared?: readonly DomainPolicies[];
  /** What was found, in words, for the dossier. */
  notes: readonly string[];
  /** Only the hosts that DNS names: a policy stands, and whatever is guessed would go round it. */
  forbidsGuesses?: true;
  /** Of a host that is passed over it could not be found out what it has to show: another time it may serve. */
  isIncomplete?: true;
  /** Why no host is left, where that is so. */
  trouble?: { kind: 'deferred' | 'failed' } & Trouble;
}

export const noPolicies: ReadonlyMap<string, HostPolicy> = new Map();

/** Rejects only when the signal is aborted. */
export function findTlsPlan(
  parts: TlsParts,
  route: Route,
  { requests = {}, signal }: { requests?: MessageRequests | undefined; signal?: AbortSignal | undefined },
): MaybePromise<TlsPlan> {
  const isProven = route.hosts.some(({ proven }) => proven !== undefined);
  const hasSts = parts.sts !== undefined && !route.domain.startsWith('[');
  if (requests.tlsOptional && !requests.requireTls)
    return opportunisticPlan(route, ['the message asks for TLS to be optional (TLS-Required: No, RFC 8689)']);
  const hasNoSts = !hasSts || parts.sts?.isKnownAbsent(route.domain);
  if (!isProven && hasNoSts && !requests.requireTls) return opportunisticPlan(route, []);
  return new Search(parts, route, { requests, signal, hasSts }).run();
}

const opportunisticPlan = (route: Route, notes: string[]): TlsPlan => ({
  route,
  policies: noPolicies,
  notes,
});

interface Circumstances {
  requests: MessageRequests;
  signal: AbortSignal | undefined;
  hasSts: boolean;
}

/** A host that is not used, and why. */
interface PassedOver {
  reason: string;
  /** Of the policy that forbids it; absent where it is the message that does. */
  report?: { failure: TlsFailureType; policy: ReportedPolicy };
  /** `unknown`: what it has to show could not be found out, and another time it may serve. */
  why: 'unknown' | 'forbidden' | 'unproven';
}

class Search {
  readonly #parts: TlsParts;
  readonly #route: Route;
  readonly #circumstances: Circumstances;
  readonly #policies = new Map<string, HostPolicy>();
  readonly #passedOver = new Map<string, PassedOver>();
  readonly #notes: string[] = [];
  /** Whether the domain has a policy of MTA-STS could not be found out, and which hosts it names. */
  #stsIsUnknown = false;
  /** By a policy of MTA-STS, enforced or not. */
  #namedBySts = new Set<string>();

  constructor(parts: TlsParts, route: Route, circumstances: Circumstances) {
    this.#parts = parts;
    this.#route = route;
    this.#circumstances = circumstances;
  }

  async run(): Promise<TlsPlan> {
    await this.#lookForDane();
    await this.#lookForSts();
    if (this.#circumstances.requests.requireTls) this.#requireTls();
    this.#tellOfPassedOver();
    const hosts = this.#route.hosts.filter(({ host }) => !this.#passedOver.has(host));
    const plan = {
      route: { ...this.#route, hosts },
      policies: this.#policies,
      notes: this.#notes,
      ...(this.#isStrict() && { forbidsGuesses: true as const }),
      ...(this.#isIncomplete() && { isIncomplete: true as const }),
    };
    return hosts.length > 0 ? plan : { ...plan, trouble: this.#trouble() };
  }

  async #lookForDane(): Promise<void> {
    const { port, hosts } = this.#route;
    const { signal } = this.#circumstances;
    const proven = hosts.filter(({ proven }) => proven !== undefined);
    const findings = await Promise.all(
      proven.map((host) => findDane(this.#parts.resolver, { host, port, signal })),
    );
    for (const [index, host] of proven.entries()) {
      const found = findings[index];
      if (found?.kind === 'dane') this.#dane(host, found);
      if (found?.kind === 'encrypted') {
        this.#policies.set(host.host, found);
        this.#notes.push(`${host.host}: TLS is needed, its TLSA records are of no use (RFC 7672 §2.2)`);
      }
      if (found?.kind === 'unknown') {
        const reason = `the TLSA records of ${host.host} could not be looked up: ${found.reason}`;
        const policy = { type: 'tlsa', domain: found.base, strings: [], mxHosts: [] } as const;
        this.#passOver(host, { reason, report: { failure: 'dnssec-invalid', policy }, why: 'unknown' });
      }
    }
  }

  #dane({ host }: Host, { base, records }: { base: string; records: readonly TlsaRecord[] }): void {
    const names = [...new Set([base, host, this.#route.domain])];
    this.#policies.set(host, { kind: 'dane', base, names, records });
    this.#notes.push(`${host}: DANE, by ${records.map(tlsaText).join(', ')} of ${base} (DNSSEC)`);
  }

  /**
   * Only for the hosts without DANE, which comes first (RFC 8461 §2). Records that are of no use prove no host, and so do not
   * stand in for a policy that wants one proven.
   */
  async #lookForSts(): Promise<void> {
    const { hosts, domain } = this.#route;
    const { hasSts, signal } = this.#circumstances;
    const others = hosts.filter(
      ({ host }) => this.#policies.get(host)?.kind !== 'dane' && !this.#passedOver.has(host),
    );
    if (!hasSts || others.length === 0) return;
    const found = await this.#parts.sts?.find(domain, signal);
    if (found?.note !== undefined) this.#notes.push(found.note);
    const policy = found?.policy;
    this.#stsIsUnknown = found?.isUnknown === true;
    if (policy === undefined) return;
    const kind = policy.mode === 'enforce' ? 'sts' : 'sts-testing';
    for (const host of others) {
      if (allowsHost(policy, host.host)) this.#namedBySts.add(host.host);
      if (kind === 'sts-testing') {
        if (!this.#policies.has(host.host)) this.#policies.set(host.host, { kind, policy });
      } else if (this.#namedBySts.has(host.host)) this.#policies.set(host.host, { kind, policy });
      else {
        const reason = `the MTA-STS policy of ${domain} does not name ${host.host}`;
        const report = { failure: 'validation-failure', policy: reportedSts(policy) } as const;
        this.#passOver(host, { reason, report, why: 'forbidden' });
      }
    }
  }

  /**
   * Where no policy has a certificate checked, the message does; and where nothing proves that the host is the domain's, its
   * certificate proves nothing (RFC 8689 §4.2.1, step 2).
   */
  #requireTls(): void {
    for (const host of this.#route.hosts) {
      const kind = this.#policies.get(host.host)?.kind;
      if (kind === 'dane' || kind === 'sts' || this.#passedOver.has(host.host)) continue;
      if (this.#isProven(host)) this.#policies.set(host.host, { kind: 'verified' });
      else this.#passOver(host, this.#unproven(host));
    }
    this.#notes.push('the message may only go where TLS is verified and required further on (REQUIRETLS)');
  }

  /** A host of the domain's own name needs no other proof than its certificate. */
  #isProven({ host, proven }: Host): boolean {
    return proven !== undefined || host === this.#route.domain || this.#namedBySts.has(host);
  }

  #unproven({ host }: Host): PassedOver {
    const { domain } = this.#route;
    if (this.#stsIsUnknown)
      return {
        reason: `whether ${host} is a host of ${domain} could not be found out by MTA-STS`,
        why: 'unknown',
      };
    const reason = `neither DNSSEC nor MTA-STS proves that ${host} is a host of ${domain}, as REQUIRETLS asks`;
    return { reason, why: 'unproven' };
  }

  #passOver({ host }: Host, why: PassedOver): void {
    this.#passedOver.set(host, why);
    this.#notes.push(`${host} is passed over: ${why.reason}`);
  }

  #isIncomplete(): boolean {
    return [...this.#passedOver.values()].some(({ why }) => why === 'unknown');
  }

  #isStrict(): boolean {
    const kinds = [...this.#policies.values()].map(({ kind }) => kind);
    return this.#passedOver.size > 0 || kinds.some((kind) => kind !== 'sts-testing');
  }

  #tellOfPassedOver(): void {
    const { onTlsResult, clock } = this.#parts;
    for (const { reason, report } of this.#passedOver.values())
      if (report !== undefined)
        onTlsResult?.({
          at: clock.now(),
          domain: this.#route.domain,
          policy: report.policy,
          failure: { type: report.failure, reason },
        });
  }

  #trouble(): NonNullable<TlsPlan['trouble']> {
    const all = [...this.#passedOver.values()];
    const [first] = all;
    const isHopeless = all.every(({ why }) => why === 'unproven');
    return {
      kind: isHopeless ? 'failed' : 'deferred',
      status: isHopeless ? '5.7.10' : '4.7.5',
      reason: first?.reason ?? 'no host may be used',
      // Not the site's doing: another domain at the same hosts may have no policy, or a better one.
      phase: `finding the TLS policy of ${this.#route.domain}`,
      rule: rules[first?.why ?? 'unknown'],
    };
  }
}

const rules = {
  unknown: 'it is not known what TLS must show, which never means nothing (RFC 7672 §2.1.2): later again',
  forbidden: 'no host that the policy allows: later again (RFC 8461 §4.2)',
  unproven: 'no host of the receiver does what the sender required of all: given up (RFC 8689 §4.2.1)',
} as const satisfies Record<PassedOver['why'], string>;

/** `3 1 1 0123456789abcdef…`. */
export const tlsaText = ({ usage, selector, matchingType, data }: TlsaRecord): string => {
  const hex = data.toString('hex');
  return `TLSA ${usage} ${selector} ${matchingType} ${hex.length > 16 ? `${hex.slice(0, 16)}…` : hex}`;
};

/** RFC 8460 §4.4: policy-string holds the lines of the policy. */
export const reportedSts = ({ domain, mode, mx, maxAge }: StsPolicyInForce): ReportedPolicy => ({
  type: 'sts',
  domain,
  strings: ['version: STSv1', `mode: ${mode}`, ...mx.map((each) => `mx: ${each}`), `max_age: ${maxAge}`],
  mxHosts: mx,
});
