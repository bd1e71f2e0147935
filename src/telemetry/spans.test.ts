import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { recordingLog } from '../testing/recording-log.ts';
import { sampleEvent, sampleMessage, temporaryStore } from '../testing/store.ts';
import { at, events, queueId } from '../testing/telemetry-events.ts';
import { registerTestTracer, type TestTracer } from '../testing/test-tracer.ts';
import { formatTraceparent } from '../util/traceparent.ts';
import { openSpans, placeOf, type Spans } from './spans.ts';
import { timedOf } from './timed.ts';
import { tracedStore } from './traced-store.ts';

let tracer: TestTracer;
beforeEach(() => {
  tracer = registerTestTracer();
});
afterEach(() => tracer[Symbol.dispose]());

const clock = { now: () => at + 5000 };

async function spansOf(): Promise<Spans> {
  const spans = await openSpans('1', clock);
  if (spans === undefined) throw new Error('no SDK is there');
  return spans;
}

const { log: silent } = recordingLog();

const named = (name: string) => tracer.named(name);

const accepted = events.filter(({ event }) => event === 'accepted' || event === 'checked');
const later = events.filter(({ event }) => !['accepted', 'checked', 'refused'].includes(event));

test('without an SDK there are no spans', async () => {
  tracer[Symbol.dispose]();
  expect(await openSpans('1', clock)).toBeUndefined();
});

test('each event has its time', () => {
  const times = events
    .map(timedOf)
    .map((timed) => timed && [timed.name, timed.startMs - at, timed.endMs - at]);
  expect(times).toEqual([
    ['receive', 0, 200],
    ['check sender', 50, 200],
    ['find route', 300, 340],
    ['speak', 400, 1000],
    ['deliver', 0, 1000],
    ['deliver', 0, 900],
    ['deliver', 0, 1000],
    ['refuse', 0, 0],
    undefined,
  ]);
});

test('no span names a person', () => {
  expect(JSON.stringify(events.map(timedOf))).not.toMatch(/[a-d]@example/);
});

test('tracedStore(): a message keeps the place of its receipt, from which all hangs that another process does later', async () => {
  await using world = await temporaryStore();
  await tracedStore(world.store, await spansOf(), silent).accept(
    sampleMessage(queueId, { events: accepted }),
  );
  const receive = named('receive');
  expect(receive).toMatchObject({ parent: undefined, startMs: at, endMs: at + 5000 });
  expect(named('check sender')).toMatchObject({ parent: receive.spanId, traceId: receive.traceId });

  const again = tracedStore(await world.reopen(), await spansOf(), silent);
  const [claimed] = await again.claim({ now: 1000, limit: 1, leaseMs: 1000 });
  const { traceparent = '' } = claimed?.message ?? {};
  expect(traceparent).toBe(formatTraceparent({ ...receive, flags: 1 }));
  await again.settle({ queueId, results: [], events: later, reports: [], traceparent });
  expect(new Set(tracer.written.map(({ traceId }) => traceId))).toEqual(new Set([receive.traceId]));
  const attempt = named('attempt');
  expect(attempt).toMatchObject({ parent: receive.spanId, startMs: at + 300, endMs: at + 1000 });
  expect([named('find route'), named('speak')].map(({ parent }) => parent)).toEqual([
    attempt.spanId,
    attempt.spanId,
  ]);
  expect(named('deliver').parent).toBe(receive.spanId);
});

test('tracedStore(): a report is part of the trace of the message that it tells of', async () => {
  await using world = await temporaryStore();
  const store = tracedStore(world.store, await spansOf(), silent);
  const traceparent = formatTraceparent({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), flags: 1 });
  const data = { via: 'internal', from: '', to: ['a@example.com'], sizeBytes: 1 };
  const report = sampleMessage('R1', { message: { traceparent }, events: [sampleEvent('R1', { data })] });
  await store.settle({ queueId, results: [], events: [], reports: [report], traceparent });
  const write = named('write');
  expect(write).toMatchObject({ parent: 'b'.repeat(16), traceId: 'a'.repeat(32) });
  const [claimed] = await store.claim({ now: 1000, limit: 1, leaseMs: 1000 });
  expect(claimed?.message.traceparent).toBe(formatTraceparent({ ...write, flags: 1 }));
});

test('tracedStore(): what the store does not take is told, and leaves the message as it was', async () => {
  const refusing = { accept: () => Promise.reject(new RangeError('no room for a@example.com')) };
  const store = tracedStore(refusing as never, await spansOf(), silent);
  const entry = sampleMessage(queueId, { events: accepted });
  for (const _ of ['once', 'and again']) await expect(store.accept(entry)).rejects.toThrow('no room');
  expect(entry.message).not.toHaveProperty('traceparent');
  expect(tracer.written).toMatchObject([
    { name: 'receive', error: 'RangeError', parent: undefined, endMs: at + 5000 },
    { name: 'receive', error: 'RangeError', parent: undefined },
  ]);
});

test('tracedStore(): what an SDK leaves out, is to be left out later too', async () => {
  tracer.flags = 0;
  await using world = await temporaryStore();
  const entry = sampleMessage(queueId, { events: accepted });
  await tracedStore(world.store, await spansOf(), silent).accept(entry);
  expect(entry.message.traceparent).toMatch(/-00$/);
});

test('tracedStore(): an SDK that fails costs a span, and no mail', async () => {
  await using world = await temporaryStore();
  const { log, lines } = recordingLog();
  const failing = () => {
    throw new Error('out of order');
  };
  const ending = { receive: () => ({ end: failing, fail: failing }), noted: failing, appended: failing };
  for (const spans of [{ ...ending, receive: failing }, ending]) {
    const store = tracedStore(world.store, spans, log);
    const entry = sampleMessage(spans === ending ? 'Q2' : 'Q1');
    await store.accept(entry);
    await expect(store.accept(entry)).rejects.toThrow('UNIQUE'); // the store's own word, not the SDK's
    await store.settle({ queueId: entry.message.queueId, results: [], events: [], reports: [] });
    await store.appendEvents([]);
  }
  expect((await world.store.listJobs({ limit: 9 })).jobs).toHaveLength(2);
  // Of each: two receipts, a settlement, events.
  expect(lines('error').map(({ msg }) => msg)).toEqual(
    Array(8).fill('the OpenTelemetry SDK failed: a span is lost'),
  );
});

test('tracedStore(): mail that was refused has its checks under the refusal', async () => {
  await using world = await temporaryStore();
  const [, checked] = accepted;
  const refused = events.find(({ event }) => event === 'refused');
  if (!checked || !refused) throw new Error('no such event');
  await tracedStore(world.store, await spansOf(), silent).appendEvents([refused, checked]);
  const refuse = named('refuse');
  expect(refuse).toMatchObject({ error: '5.7', parent: undefined, startMs: at, endMs: at + 200 });
  expect(named('check sender')).toMatchObject({ parent: refuse.spanId, traceId: refuse.traceId });
});

test.each([undefined, '00-nonsense'])(
  'what was accepted while nobody wrote spans hangs together by its queue id (%s)',
  async (traceparent) => {
    const spans = await spansOf();
    const message = { queueId, ...(traceparent !== undefined && { traceparent }) };
    spans.noted(later.slice(0, 2), message);
    spans.noted(later.slice(2), message);
    expect(placeOf(queueId).traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(named('attempt').parent).toBe(placeOf(queueId).spanId);
    expect(new Set(tracer.written.map(({ traceId }) => traceId))).toEqual(
      new Set([placeOf(queueId).traceId]),
    );
  },
);

test('an SDK gets spans whose own copy of the interface is an earlier one than the newest: 1.9, as SDKs of 2026 ask for', async () => {
  // As that copy leaves it behind; ours refuses what is older than itself.
  tracer.register('1.9.0');
  vi.resetModules();
  const { openSpans: openAnew } = await import('./spans.ts');
  (await openAnew('1', clock))?.noted(events.slice(6, 7), { queueId });
  expect(tracer.written).toMatchObject([{ name: 'deliver', error: 'sending RCPT TO' }]);
});
