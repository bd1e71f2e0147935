/**
 * Spans for whoever has loaded an OpenTelemetry SDK into the process (NODE_OPTIONS="--import ./sdk.mjs"). The span of a message's
 * receipt begins before it is written to the store, so that the place which the SDK has given it lies there with the message
 * (`traceparent`, W3C Trace Context); all that is done with the message later, by whatever process, hangs from it.
 */

import { createHash } from 'node:crypto';
import type * as Api from '@opentelemetry/api';
import type { DossierEvent } from '../dossier/event.ts';
import type { EventRow } from '../store/event-store.ts';
import type { MessageRow } from '../store/message.ts';
import type { NewMessage } from '../store/queue-store.ts';
import type { Clock } from '../util/clock.ts';
import { formatTraceparent, parseTraceparent, type TracePlace } from '../util/traceparent.ts';
import { attemptOf, isOfWholeLife, type Timed, timedOf } from './timed.ts';

/** Where the interface keeps what an SDK has registered (its own convention, for versions 1.x). */
const registered = Symbol.for('opentelemetry.js.api.1');

/** Undefined where no SDK was loaded: the interface alone does nothing, and is not loaded for that. */
export async function openSpans(version: string, clock: Pick<Clock, 'now'>): Promise<Spans | undefined> {
  const sdk: unknown = Reflect.get(globalThis, registered);
  if (typeof sdk !== 'object' || sdk === null || !('trace' in sdk)) return undefined;
  return new Spans(await import('@opentelemetry/api'), version, clock);
}

/** What the spans of a message hang from that was accepted while nobody wrote any: it follows from the queue id. */
export function placeOf(queueId: string): TracePlace {
  const digest = createHash('sha256').update(queueId).digest('hex');
  return { traceId: digest.slice(0, 32), spanId: digest.slice(32, 48), flags: 1 };
}

type Traced = Pick<MessageRow, 'queueId' | 'traceparent'>;

/** The span of a receipt, while the message is on its way to the disk. One of the two is to be called, once. */
export interface Receipt {
  /** It is on disk. */
  end(): void;
  /** It is not: the sender is told to come again. */
  fail(error: unknown): void;
}

export class Spans {
  readonly #api: typeof Api;
  readonly #tracer: Api.Tracer;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(api: typeof Api, version: string, clock: Pick<Clock, 'now'>) {
    this.#api = api;
    this.#tracer = api.trace.getTracer('posthorn', version);
    this.#clock = clock;
  }

  /**
   * Begins the span of a receipt, as a part of what the message says, and has the message say from now on what its further
   * spans are part of.
   */
  receive({ message, events }: NewMessage): Receipt {
    const { queueId, traceparent } = message;
    const accepted = events.find(({ event }) => event === 'accepted') as DossierEvent | undefined;
    const timed = accepted && timedOf(accepted);
    if (timed === undefined) return { end() {}, fail() {} }; // nothing is told of it
    const parent = traceparent === undefined ? undefined : parseTraceparent(traceparent);
    const span = this.#begin(queueId, timed, this.#under(parent));
    const context = span.spanContext();
    if (this.#api.isSpanContextValid(context))
      message.traceparent = formatTraceparent({ ...context, flags: context.traceFlags });
    const { ERROR } = this.#api.SpanStatusCode;
    return {
      end: () => {
        span.end(this.#clock.now());
        this.noted(events, message);
      },
      fail: (error) => {
        if (traceparent === undefined) delete message.traceparent;
        else message.traceparent = traceparent;
        span.setStatus({ code: ERROR, message: error instanceof Error ? error.name : 'not written' });
        span.end(this.#clock.now());
      },
    };
  }

  /** What has happened to a message, at once or in one attempt; its receipt is passed over. */
  noted(events: readonly EventRow[], { queueId, traceparent }: Traced): void {
    const all = events.flatMap((row) => {
      const event = row as DossierEvent; // written as such
      return event.event === 'accepted' ? [] : (timedOf(event) ?? []);
    });
    if (all.length === 0) return;
    const place = traceparent === undefined ? undefined : parseTraceparent(traceparent);
    this.#write(queueId, all, this.#under(place ?? placeOf(queueId)));
  }

  /** What has happened to messages that were not taken in, or without any attempt. */
  appended(events: readonly EventRow[]): void {
    for (const [queueId, own] of Map.groupBy(events, (event) => event.queueId)) {
      const refused = own.find(({ event }) => event === 'refused');
      if (refused === undefined) this.noted(own, { queueId });
      else this.#refused(queueId, refused as DossierEvent, own);
    }
  }

  #refused(queueId: string, refused: DossierEvent, all: readonly EventRow[]): void {
    const timed = timedOf(refused);
    if (timed === undefined) return;
    const endMs = Math.max(...all.map(({ at }) => at));
    const steps = all.flatMap((event) => (event === refused ? [] : (timedOf(event as DossierEvent) ?? [])));
    const under = this.#writeOne(queueId, { ...timed, endMs }, this.#api.ROOT_CONTEXT);
    for (const step of steps) this.#writeOne(queueId, step, under);
  }

  #write(queueId: string, all: readonly Timed[], under: Api.Context): void {
    const attempt = attemptOf(all);
    const within = attempt ? this.#writeOne(queueId, attempt, under) : under;
    for (const timed of all) this.#writeOne(queueId, timed, isOfWholeLife(timed) ? under : within);
  }

  /** Returns what its parts are to be written under. */
  #writeOne(queueId: string, timed: Timed, under: Api.Context): Api.Context {
    const { trace, SpanStatusCode } = this.#api;
    const { error, endMs } = timed;
    const span = this.#begin(queueId, timed, under);
    if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
    span.end(endMs);
    return trace.setSpan(under, span);
  }

  #begin(queueId: string, { name, kind, startMs, attributes }: Timed, under: Api.Context): Api.Span {
    return this.#tracer.startSpan(
      name,
      {
        kind: this.#api.SpanKind[kind],
        startTime: startMs,
        attributes: { 'posthorn.queue_id': queueId, ...attributes },
      },
      under,
    );
  }

  #under(place: TracePlace | undefined): Api.Context {
    const { trace, ROOT_CONTEXT } = this.#api;
    if (place === undefined) return ROOT_CONTEXT;
    const { traceId, spanId, flags: traceFlags } = place;
    return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
  }
}
