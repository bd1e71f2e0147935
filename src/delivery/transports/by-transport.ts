/**
 * Mail that goes another way than by MX (`[[transport]]`): to a relay's host, or to a program. Whoever configures one
 * names its host: there is nothing to guess, and what TLS must show it says itself.
 */

import type { Resolver } from '../../dns/resolver.ts';
import type { DossierEvent } from '../../dossier/event.ts';
import type { JobRow } from '../../store/job.ts';
import type { MessageRow } from '../../store/message.ts';
import type { MaybePromise } from '../../util/maybe-promise.ts';
import type { ConnectionPool } from '../connections/pool.ts';
import { contentOf, type Sent, toAll } from '../delivery.ts';
import { forgotten } from '../outcome.ts';
import { type NoRoute, type Route, type RouteOptions, routedData } from '../route/route.ts';
import { type SendParts, send } from '../send.ts';
import { deliverByPipe } from './pipe.ts';
import { demandFacts } from './relay-demand.ts';
import { findRelayRoute } from './relay-route.ts';
import type { ChosenTransport, Transport } from './transports.ts';

interface TransportParts {
  resolver: Resolver;
  route: RouteOptions;
  send: SendParts;
}

interface TransportDelivery {
  message: MessageRow;
  jobs: readonly JobRow[];
  transport: Exclude<Transport, { kind: 'mx' }>;
  signal: AbortSignal;
}

/** Outcomes by the numbers of the jobs; the first event tells the way. */
export async function sendByTransport(
  { resolver, route: options, send: sendParts }: TransportParts,
  { message, jobs, transport, signal }: TransportDelivery,
): Promise<Sent> {
  const domain = jobs[0]?.destination ?? '';
  const at = options.clock.now();
  const route =
    transport.kind === 'pipe'
      ? ({ ...noHosts, domain } as const)
      : await findRelayRoute(resolver, { domain, way: transport.way }, { ...options, signal });
  const routed: DossierEvent = { at, queueId: message.queueId, event: 'routed', data: routedData(route) };
  const sent = await sendTo(route);
  return { ...sent, events: [routed, ...sent.events] };

  function sendTo(found: Route | NoRoute): MaybePromise<Sent> {
    if (found.kind !== 'route') return toAll(jobs, found);
    if (transport.kind === 'relay')
      return send(overRelay(sendParts, transport.pool), {
        ...contentOf(message),
        route: found,
        demanded: demandFacts(transport.way),
        jobs,
        signal,
      });
    return deliverByPipe(transport.pipe, message, jobs, signal).then(({ outcomes, events }) => ({
      outcomes: new Map(jobs.map(({ number }, index) => [number, outcomes[index] ?? forgotten])),
      events: [...events],
    }));
  }
}

/**
 * Which of our addresses strangers like is of no interest to a relay, which may be on loopback; nor does anybody want reports
 * about its TLS.
 */
function overRelay({ sources: _sources, tls: _tls, ...parts }: SendParts, pool: ConnectionPool): SendParts {
  return { ...parts, pool };
}

/** A program is asked for nowhere. */
const noHosts = { kind: 'route', hosts: [], answers: [], durationMs: 0, port: 0 } as const;

/** The way was chosen by the configuration: the dossier says by which transport, and why. */
export const withTransport = (
  event: DossierEvent,
  { transport: { name }, why }: ChosenTransport,
): DossierEvent =>
  event.event === 'routed' ? { ...event, data: { ...event.data, transport: { name, ...why } } } : event;
