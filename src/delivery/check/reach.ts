/**
 * The way to whoever takes mail for a domain, up to a session in which nothing has been asked: DNS → TLS policy → the first
 * host that can be spoken to as its policy wants it. Notes each step. What is asked then is its callers' business.
 */

import type { Resolver } from '../../dns/resolver.ts';
import type { Endpoint } from '../../dossier/event.ts';
import { reasonForTransport } from '../../dossier/words.ts';
import type { Clock } from '../../util/clock.ts';
import type { DialogueLine } from '../../util/dialogue.ts';
import type { ConnectionPool, Loan, Refused } from '../connections/pool.ts';
import { findRoute, hostsOf, type Route, type RouteOptions, routedData } from '../route/route.ts';
import { type SourceChooser, withSources } from '../route/sources.ts';
import { findTlsPlan, type TlsParts, type TlsPlan } from '../tls/tls-policy.ts';
import { demandOf } from '../tls/tls-verdict.ts';
import type { TransportChoice, TransportFinder } from '../transports/transport-choice.ts';
import { answerOf, type Conclusion, cannotTell, capital, type NoteStep, undeliverable } from './callout.ts';

export interface ReachParts {
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
}

/** A session, to be ended by whoever has asked for it; or why there is none. */
export type Reached = {
  /** What DNS says; absent where it says nothing, or is not asked. */
  route?: Route;
  /** Of the last host that refused to be spoken to. */
  dialogue?: DialogueLine[];
} & ({ loan: Loan } | { loan?: never; conclusion: Conclusion });

export interface Reaching {
  note: NoteStep;
  signal: AbortSignal;
  /** Whose mail it would be; '' is nobody's. */
  reversePath?: string;
}

/** `domain` in A-labels or an address literal. Rejects only with the signal's reason. */
export async function reachReceiver(
  parts: ReachParts,
  domain: string,
  { note, signal, reversePath = '' }: Reaching,
): Promise<Reached> {
  const chosen = parts.findTransport?.(domain, { reversePath });
  const relayed = chosen === undefined || chosen.transport.way.protocol === 'mx' ? undefined : chosen;
  // What goes everywhere by another server has to be in DNS all the same; what goes to one place has not.
  if (relayed !== undefined && !relayed.transport.domains.includes('*'))
    return { conclusion: goesElsewhere(relayed, note) };
  const { fallback: _fallback, ...direct } = parts.route;
  const route = await findRoute(parts.resolver, domain, { ...direct, signal });
  const { answers, hosts } = routedData(route);
  if (route.kind !== 'route') {
    const isFinal = route.kind === 'failed';
    note('route', isFinal ? 'bad' : 'unclear', `No way there: ${route.reason}.`, answers);
    const why = `${capital(route.reason)}.`;
    return { conclusion: isFinal ? undeliverable(why) : cannotTell(why) };
  }
  note('route', 'good', `Mail for ${domain} goes to ${hosts.join(', ')}.`, answers);
  if (relayed !== undefined) return { route, conclusion: goesElsewhere(relayed, note) };
  return { route, ...(await open(parts, route, { note, signal, reversePath })) };
}

/** Its answer would be about what it relays, not about the address. */
function goesElsewhere({ why, transport: { way } }: TransportChoice, note: NoteStep): Conclusion {
  const by = way.protocol === 'pipe' ? 'a program' : 'another server';
  note('route', 'unclear', `Our mail for it goes through ${by}: ${reasonForTransport(why)}.`);
  return cannotTell(`Our mail for it goes through ${by}, which is not asked: it would answer for itself.`);
}

/** The first host that can be spoken to, as its TLS policy wants it, speaks for the domain. */
async function open(
  { tls, sources, clock, pool }: ReachParts,
  route: Route,
  { note, signal, reversePath }: Required<Reaching>,
): Promise<Reached> {
  // Nobody is told of it: a question is no session of mail (RFC 8460 §4).
  const silent = tls && { ...tls, onTlsResult: undefined };
  const policy = silent && (await findTlsPlan(silent, route, { signal }));
  if (policy !== undefined) notePolicy(policy, note);
  if (policy?.trouble !== undefined) return { conclusion: cannotTell(`${capital(policy.trouble.reason)}.`) };
  const failures: string[] = [];
  let dialogue: DialogueLine[] | undefined;
  const plan = sources?.choose(reversePath);
  const hosts = hostsOf(policy?.route ?? route);
  const planned = plan ? withSources(hosts, plan) : { hosts };
  if (planned.rule !== undefined) failures.push(planned.rule);
  for (const endpoints of planned.hosts) {
    const host = endpoints[0]?.host ?? '';
    const demand = demandOf(policy?.policies.get(host), host, clock.now);
    const { loan, refused } = await pool.open(endpoints, signal, demand);
    signal.throwIfAborted();
    failures.push(...refused.map(refusalText));
    dialogue = dialogueOf(refused) ?? dialogue;
    if (loan !== undefined) {
      note('TLS', 'good', `Spoke with ${placeOf(loan.endpoint)}, ${tlsText(loan)}.`);
      return { loan, ...(dialogue && { dialogue }) };
    }
  }
  note('question', 'unclear', 'No host could be spoken to.', failures);
  const conclusion = cannotTell('None of its hosts could be spoken to now.');
  return { conclusion, ...(dialogue && { dialogue }) };
}

function notePolicy({ policies, notes, trouble }: TlsPlan, note: NoteStep): void {
  const text =
    policies.size === 0 ? 'No policy: TLS is used where it is offered.' : 'There is a policy for TLS.';
  if (trouble === undefined) note('policy', 'good', text, [...notes]);
  else note('policy', 'unclear', 'Its policy for TLS leaves no host to be asked.', [...notes]);
}

const refusalText = ({ endpoint, verdict }: Refused): string => `${placeOf(endpoint)}: ${answerOf(verdict)}`;

function dialogueOf(refused: readonly Refused[]): DialogueLine[] | undefined {
  const spoken = refused.findLast(({ dialogue }) => dialogue !== undefined);
  return spoken?.dialogue && [...spoken.dialogue.excerpt().lines];
}

const tlsText = ({ session: { tls } }: Loan): string =>
  tls ? `${tls.version}, certificate: ${tls.certificate ?? 'not looked at'}` : 'in clear text';

const placeOf = ({ host, address, port }: Endpoint): string => `${host} (${address} port ${port})`;
