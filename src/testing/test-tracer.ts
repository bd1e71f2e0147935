/** For tests: what an OpenTelemetry SDK does with spans. It gives ids of its own, takes the trace from the parent, and keeps all. */

import { type Context, type SpanOptions, type Tracer, trace } from '@opentelemetry/api';

export interface WrittenSpan {
  name: string;
  traceId: string;
  spanId: string;
  /** The id of the span that it is part of. */
  parent: string | undefined;
  startMs: number;
  /** Absent until it has ended. */
  endMs?: number;
  error?: string;
  attributes: Record<string, unknown>;
}

export interface TestTracer extends Disposable {
  readonly written: WrittenSpan[];
  /** Of each span from now on: 1, unless it is changed; 0 is not sampled. */
  flags: number;
  /** The first of that name; throws where there is none. */
  named(name: string): WrittenSpan;
  /** Puts itself where the interface looks, as a copy of the interface of that version does it. */
  register(version: string): void;
}

/** Where the interface keeps what is registered, in versions 1.x. */
const registered = Symbol.for('opentelemetry.js.api.1');

/** Registered until it is disposed of. */
export function registerTestTracer(): TestTracer {
  const written: WrittenSpan[] = [];
  let count = 0;
  const id = (digits: number) => (++count).toString(16).padStart(digits, '0');
  const startSpan = (name: string, options: SpanOptions = {}, context?: Context) => {
    const { startTime, attributes = {} } = options;
    if (typeof startTime !== 'number') throw new TypeError('times are in ms since the epoch');
    const parent = context && trace.getSpanContext(context);
    const ids = { traceId: parent?.traceId ?? id(32), spanId: id(16) };
    const span: WrittenSpan = {
      ...{ name, ...ids, parent: parent?.spanId },
      ...{ startMs: startTime, attributes },
    };
    written.push(span);
    return Object.assign(Object.create(trace.wrapSpanContext({ ...ids, traceFlags: tracer.flags })), {
      setStatus: ({ message = '' }) => (span.error = message),
      end: (endMs: number) => (span.endMs = endMs),
    });
  };
  const own = { startSpan } as Tracer; // the rest is not used here
  const tracer: TestTracer = {
    ...{ written, flags: 1 },
    named(name) {
      const found = written.find((span) => span.name === name);
      if (found === undefined) throw new Error(`no span ${name} was written`);
      return found;
    },
    register: (version) =>
      void Reflect.set(globalThis, registered, { version, trace: { getTracer: () => own } }),
    [Symbol.dispose]: () => void Reflect.deleteProperty(globalThis, registered),
  };
  trace.setGlobalTracerProvider({ getTracer: () => own });
  return tracer;
}
