/**
 * TLS in one attempt: what each host has to show, what a report and the memory of broken handshakes are told, who may be
 * spoken to in clear text in the end, and what REQUIRETLS makes of a host that lacks it (RFC 8689). Opens nothing.
 */

import type { Endpoint, TlsPolicyFacts } from '../../dossier/event.ts';
import type { Session } from '../../smtp/client-session.ts';
import type { TlsFault, Verdict } from '../../smtp/client-verdict.ts';
import { replyText } from '../../smtp/reply.ts';
import { noTls, type TlsDemand } from '../../smtp/tls-demand.ts';
import type { MessageRequests } from '../../store/message.ts';
import type { OnTlsResult } from '../../tls-rpt/result.ts';
import type { Loan, Refused } from '../connections/pool.ts';
import type { Delivery } from '../delivery.ts';
import type { Outcome, Trouble } from '../outcome.ts';
import type { BrokenTls } from './broken-tls.ts';
import { type DomainPolicies, type HostPolicy, noPolicies } from './tls-policy.ts';
import { demandOf, policyFacts, reportedPolicy } from './tls-verdict.ts';

export interface SendTlsParts {
  broken: BrokenTls;
  onTlsResult?: OnTlsResult | undefined;
  /** Milliseconds since the epoch. */
  now: () => number;
}

type WithTls = Pick<Delivery, 'route' | 'policies' | 'demanded' | 'shared' | 'isIncomplete' | 'message'>;

/** The two ends. */
interface Peer {
  endpoint: Endpoint;
  source: string | undefined;
}

const inClear: TlsDemand = { key: 'clear', use: 'never' };

export class AttemptTls {
  readonly #parts: SendTlsParts | undefined;
  /** Whose reports are told of each session. */
  readonly #domains: readonly DomainPolicies[];
  readonly #policies: ReadonlyMap<string, HostPolicy>;
  readonly #demanded: TlsPolicyFacts | undefined;
  readonly #requests: MessageRequests | undefined;
  /** Endpoints whose handshakes failed in this attempt, and that no policy protects. */
  readonly #failed: Endpoint[] = [];
  /** Who have not said that they cannot do what the message requires. */
  readonly #hopes: Set<string>;
  /** Of the hosts that cannot do what the message requires. */
  #unmet: (Outcome & Trouble) | undefined;
  /** Another host may be able to, another time. */
  #isOpen: boolean;

  constructor(
    parts: SendTlsParts | undefined,
    { route, policies = noPolicies, demanded, shared = [], isIncomplete, message }: WithTls,
  ) {
    this.#parts = parts;
    this.#domains = [{ domain: route.domain, policies }, ...shared];
    this.#policies = policies;
    this.#demanded = demanded;
    this.#requests = message.requests;
    this.#hopes = new Set(route.hosts.map(({ host }) => host));
    this.#isOpen = isIncomplete === true || route.isIncomplete === true;
  }

  demandFor(host: string): TlsDemand {
    return demandOf(this.#policyOf(host), host, this.#parts?.now ?? Date.now);
  }

  /** Hosts of this attempt that offer TLS and have failed at it for long, where nothing forbids clear text. */
  clearTextHosts(): { endpoints: Endpoint[]; demand: TlsDemand }[] {
    const broken = this.#failed.filter((endpoint) => this.brokenSince(endpoint) !== undefined);
    const byHost = Map.groupBy(broken, ({ host }) => host);
    return [...byHost.values()].map((endpoints) => ({ endpoints, demand: inClear }));
  }

  brokenSince(endpoint: Endpoint): number | undefined {
    return this.#parts?.broken.brokenSince(endpoint);
  }

  /** A session came about. What the message requires and it cannot do is the answer. */
  opened({ session, endpoint, reused, demand, startedAt }: Loan): (Outcome & Trouble) | undefined {
    if (!reused && demand !== inClear) {
      if (session.tls !== undefined) this.#parts?.broken.worked(endpoint);
      this.#report({ endpoint, source: session.conversation.localAddress }, startedAt, faultOf(session));
    }
    // Over a Unix socket it does not leave this machine.
    if (!this.#requests?.requireTls || endpoint.port === 0) return undefined;
    // Where mail goes by MX, the policy has seen to that; a relay may be one that nobody verifies.
    if (this.#policyOf(endpoint.host) === undefined && session.tls?.certificate !== 'verified')
      return this.#lacks('5.7.10', 'the connection to the relay is not verified', endpoint);
    if (session.extensions.has('REQUIRETLS')) {
      // Should the dialogue break off, it is this host that the message waits for.
      this.#isOpen = true;
      return undefined;
    }
    return this.#lacks('5.7.30', 'the receiver does not offer REQUIRETLS', endpoint);
  }

  /** No session came about. */
  refused({ verdict, endpoint, source, startedAt }: Refused): void {
    const fault = faultOfRefusal(verdict);
    if (fault !== undefined) this.#report({ endpoint, source }, startedAt, fault);
    if (verdict.by !== 'policy') this.#isOpen = true;
    else if (this.#requests?.requireTls) this.#lacks('5.7.10', verdict.fault.reason, endpoint);
    if (fault === undefined || verdict.by === 'policy' || endpoint.implicitTls) return;
    this.#parts?.broken.failed(endpoint);
    const kind = this.#policyOf(endpoint.host)?.kind;
    if (kind === undefined || kind === 'sts-testing') this.#failed.push(endpoint);
  }

  /**
   * Of the recipients who are left over: `trouble`, unless every host has said that it cannot do what the message requires.
   * Then the sender is told at once (RFC 8689 §4.2.1). A host whose turn never came has said nothing. Where a host will be
   * spoken to in clear text if it goes on so, that is told.
   */
  leftOver(trouble: Outcome | undefined): Outcome | undefined {
    const isHopeless = this.#unmet !== undefined && !this.#isOpen && this.#hopes.size === 0;
    if (isHopeless) return this.#unmet;
    if (this.#failed.length === 0 || trouble?.kind !== 'deferred') return trouble;
    const [clearTextFrom] = this.#failed
      .flatMap((endpoint) => this.#parts?.broken.brokenLongAt(endpoint) ?? [])
      .sort((one, other) => one - other);
    if (clearTextFrom === undefined) return trouble;
    const rule = `${trouble.rule}; in clear text from ${new Date(clearTextFrom).toISOString()} on, if TLS fails until then`;
    return { ...trouble, rule, clearTextFrom };
  }

  /** For the dossier. */
  facts(endpoint: Endpoint, { fault, demand }: { fault?: TlsFault | undefined; demand?: TlsDemand }) {
    const demanded = this.#demanded && { ...this.#demanded, ...(fault && { fault: fault.reason }) };
    const policy = demanded ?? policyFacts(this.#policyOf(endpoint.host), fault);
    const since = demand === inClear ? this.brokenSince(endpoint) : undefined;
    return { ...(policy && { policy }), ...(since !== undefined && { tlsBrokenSince: since }) };
  }

  #policyOf(host: string): HostPolicy | undefined {
    return this.#policies.get(host);
  }

  /** `status` is that of the failure for good; as long as others may do better, it is of class 4. */
  #lacks(status: '5.7.10' | '5.7.30', reason: string, endpoint: Endpoint): Outcome & Trouble {
    const trouble = { status, reason, phase: 'looking for what REQUIRETLS asks of each host', endpoint };
    const rule = 'no host of the receiver does what the sender required of all: given up (RFC 8689 §4.2.1)';
    this.#hopes.delete(endpoint.host);
    if (this.#unmet?.status !== '5.7.30') this.#unmet = { kind: 'failed', ...trouble, rule };
    const later = 'the message requires more than this host does: the next, or later again (RFC 8689 §4.2.1)';
    return { kind: 'deferred', ...trouble, status: status.replace(/^5/, '4'), rule: later };
  }

  #report({ endpoint, source }: Peer, at: number, fault: TlsFault | undefined): void {
    const { host, address } = endpoint;
    // RFC 8689 §3: such a message has no policy.
    if (this.#parts?.onTlsResult === undefined || (this.#requests?.tlsOptional && !this.#requests.requireTls))
      return;
    for (const { domain, policies } of this.#domains)
      this.#parts.onTlsResult({
        at,
        domain,
        policy: reportedPolicy(policies.get(host), domain),
        receiver: { host, address },
        ...(fault && { failure: fault }),
        ...(source !== undefined && { sendingAddress: source }),
      });
  }
}

const faultOf = ({ tls, fault }: Session): TlsFault | undefined =>
  fault ?? (tls === undefined ? noTls('the receiver does not offer STARTTLS') : undefined);

/** Undefined where it did not come to TLS. */
function faultOfRefusal(verdict: Verdict): TlsFault | undefined {
  if (verdict.by === 'policy') return verdict.fault;
  if (verdict.by === 'reply' && verdict.phase === 'sending STARTTLS' && verdict.reply.code !== 421)
    return noTls(replyText(verdict.reply));
  if (verdict.by === 'connection' && verdict.phase === 'negotiating TLS' && verdict.error.kind !== 'aborted')
    return { type: 'validation-failure', reason: verdict.error.message };
  return undefined;
}
