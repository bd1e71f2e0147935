/**
 * Spans for whoever has loaded an OpenTelemetry SDK into the process (NODE_OPTIONS="--import ./sdk.mjs"): a fold over the events
 * of dossiers, written when they are on disk. All of a message, whatever day it is on, is one trace: its id follows from the
 * queue id. No addresses of people: domains, hosts and figures.
 */

import { createHash } from 'node:crypto';
import type * as Api from '@opentelemetry/api';
import type { DossierEvent } from '../dossier/event.ts';
import type { EventRow } from '../store/event-store.ts';
import { queueIdTime } from '../util/queue-id.ts';

/** Where the interface keeps what an SDK has registered (its own convention, for versions 1.x). */
const registered = Symbol.for('opentelemetry.js.api.1');

/** Undefined where no SDK was loaded: the interface alone does nothing, and is not loaded for that. */
export async function openSpans(version: string): Promise<Spans | undefined> {
  const sdk: unknown = Reflect.get(globalThis, registered);
  if (typeof sdk !== 'object' || sdk === null || !('trace' in sdk)) return undefined;
  return new Spans(await import('@opentelemetry/api'), version);
}

/** What the spans of a message hang from: 16 and 8 octets in hexadecimal. */
export function traceOf(queueId: string): { traceId: string; spanId: string } {
  const digest = createHash('sha256').update(queueId).digest('hex');
  return { traceId: digest.slice(0, 32), spanId: digest.slice(32, 48) };
}

interface Timed {
  name: string;
  kind: 'SERVER' | 'CLIENT' | 'INTERNAL';
  startMs: number;
  endMs: number;
  attributes: Api.Attributes;
  /** Why it went wrong. */
  error?: string;
}

export class Spans {
  readonly #api: typeof Api;
  readonly #tracer: Api.Tracer;

  constructor(api: typeof Api, version: string) {
    this.#api = api;
    this.#tracer = api.trace.getTracer('posthorn', version);
  }

  noted(events: readonly EventRow[]): void {
    for (const row of events) {
      const event = row as DossierEvent; // written as such
      const timed = timedOf(event);
      if (timed !== undefined) this.#write(event.queueId, timed);
    }
  }

  #write(queueId: string, { name, kind, startMs, endMs, attributes, error }: Timed): void {
    const { trace, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags } = this.#api;
    const message = { ...traceOf(queueId), traceFlags: TraceFlags.SAMPLED, isRemote: true };
    const span = this.#tracer.startSpan(
      name,
      {
        kind: SpanKind[kind],
        startTime: startMs,
        attributes: { 'posthorn.queue_id': queueId, ...attributes },
      },
      trace.setSpanContext(ROOT_CONTEXT, message),
    );
    if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
    span.end(endMs);
  }
}

/** Undefined for what took no time that anybody would ask for. */
export function timedOf(event: DossierEvent): Timed | undefined {
  const { at, queueId } = event;
  const begunAt = Math.min(queueIdTime(queueId) ?? at, at);
  const domain = event.recipient?.slice(event.recipient.lastIndexOf('@') + 1);
  const of = domain === undefined ? {} : { 'posthorn.recipient_domain': domain };
  switch (event.event) {
    case 'accepted': {
      const { via, sizeBytes, to } = event.data;
      const attributes = {
        'posthorn.via': via,
        'posthorn.size': sizeBytes,
        'posthorn.recipients': to.length,
      };
      return { name: 'receive', kind: 'SERVER', startMs: begunAt, endMs: at, attributes };
    }
    case 'checked': {
      const { spf, dmarc, decision, durationMs } = event.data;
      const attributes = { 'posthorn.spf': spf, 'posthorn.dmarc': dmarc, 'posthorn.decision': decision };
      return { name: 'check sender', kind: 'INTERNAL', startMs: at - durationMs, endMs: at, attributes };
    }
    case 'routed': {
      const attributes = { ...of, 'posthorn.hosts': event.data.hosts };
      return {
        ...{ name: 'find route', kind: 'INTERNAL', attributes },
        ...{ startMs: at, endMs: at + event.data.durationMs },
      };
    }
    case 'attempted': {
      const { endpoint, dialogue, tls, error } = event.data;
      const [lastMs = 0] = dialogue.at(-1) ?? [];
      const attributes = {
        'server.address': endpoint.host,
        'server.port': endpoint.port,
        'network.peer.address': endpoint.address,
        ...(tls && { 'tls.protocol.version': tls.version }),
      };
      return {
        ...{ name: 'speak', kind: 'CLIENT', startMs: at, endMs: at + lastMs, attributes },
        ...(error !== undefined && { error }),
      };
    }
    case 'delivered':
      return { name: 'deliver', kind: 'INTERNAL', startMs: begunAt, endMs: at, attributes: of };
    case 'failed': {
      const { status, phase } = event.data;
      const attributes = { ...of, 'posthorn.status': status };
      return { name: 'deliver', kind: 'INTERNAL', startMs: begunAt, endMs: at, attributes, error: phase };
    }
    case 'deferred':
    case 'inDoubt': {
      const { status = '', phase = event.event } = event.data;
      const attributes = { ...of, 'posthorn.status': status };
      return { name: event.event, kind: 'INTERNAL', startMs: at, endMs: at, attributes, error: phase };
    }
    default:
      return undefined;
  }
}
