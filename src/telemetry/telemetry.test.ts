import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { DossierEvent } from '../dossier/event.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { queueIds } from '../util/queue-id.ts';
import { maxNames, nameLabels, replyLabel, statusLabel } from './labels.ts';
import { Metrics } from './metrics.ts';
import { openSpans, timedOf, traceOf } from './spans.ts';
import { queueCountMs } from './state-metrics.ts';
import { watchedStore } from './watched-store.ts';

const at = Date.parse('2026-11-28T12:00:00Z');
const queueId = queueIds(
  () => at,
  () => 0,
)();

const events: DossierEvent[] = [
  {
    ...{ at: at + 200, queueId, event: 'accepted' },
    data: {
      via: 'smtp',
      from: 'a@example.com',
      to: ['b@example.net'],
      sizeBytes: 1000,
      tls: { version: 'TLSv1.3', cipher: 'x' },
    },
  },
  {
    ...{ at: at + 200, queueId, event: 'checked' },
    data: {
      ...{
        authenticationResults: '',
        spf: 'pass',
        dkim: 'fail (example.com), pass (b.example)',
        dmarc: 'none',
      },
      ...{ decision: 'accept', rule: '', durationMs: 150 },
    },
  },
  {
    ...{ at: at + 300, queueId, recipient: 'b@example.net', event: 'routed' },
    data: { domain: 'example.net', answers: [], hosts: ['mx.example.net'], durationMs: 40 },
  },
  {
    ...{ at: at + 400, queueId, event: 'attempted' },
    data: {
      endpoint: { host: 'alt1.google.com', address: '192.0.2.1', port: 25 },
      tls: { version: 'TLSv1.2', cipher: 'x', certificate: 'verified' },
      ...{
        reused: false,
        dialogue: [
          [0, 'S: 220'],
          [600, 'S: 250'],
        ],
      },
    },
  },
  {
    ...{ at: at + 1000, queueId, recipient: 'b@example.net', event: 'delivered' },
    data: { endpoint: { host: 'alt1.google.com', address: '192.0.2.1', port: 25 } },
  },
  { at: at + 900, queueId, recipient: 'c@example.com', event: 'delivered', data: { folder: 'Inbox' } },
  {
    ...{ at: at + 1000, queueId, recipient: 'd@example.org', event: 'failed' },
    data: { reason: 'no', status: '5.1.1', phase: 'sending RCPT TO', rule: '' },
  },
  {
    ...{ at, queueId, event: 'refused' },
    data: { from: '', to: [], reply: '550 5.7.1 Relaying denied', rule: '' },
  },
  { at, queueId, event: 'reported', data: { to: 'a@example.com', kind: 'failure', report: 'X' } },
];

/** Of `name{labels} value` lines. */
const value = (text: string, line: string): number | undefined => {
  const found = text.split('\n').find((each) => each.startsWith(`${line} `));
  return found === undefined ? undefined : Number(found.slice(line.length + 1));
};

function openMetrics(): Metrics {
  const metrics = new Metrics((host) => (host.endsWith('.google.com') ? 'google.com' : host));
  metrics.watch({
    store: {
      countJobs: async () => ({ waiting: 7, held: 1, underway: 2 }),
      listJobs: async () => ({ jobs: [{ queuedAt: at - 60_000 } as never] }), // what else a job has is not looked at
    },
    clock: fakeClock(at),
    health: () => ({ live: true, ready: false, why: [] }),
    bans: () => 3,
    braked: () => 0,
    certificates: () => [{ name: 'mx.example.com', endsAt: at + 1000 }],
    version: '1.2.3',
  });
  return metrics;
}

test('Metrics counts what the dossiers tell', async () => {
  const metrics = openMetrics();
  metrics.noted(events);
  metrics.committed(3);
  const text = await metrics.text();
  expect({
    accepted: value(text, 'posthorn_messages_accepted_total{via="smtp"}'),
    bytes: value(text, 'posthorn_messages_accepted_bytes_total{via="smtp"}'),
    refused: value(text, 'posthorn_messages_refused_total{status="5.7"}'),
    spf: value(text, 'posthorn_authentication_results_total{method="spf",result="pass"}'),
    dkim: value(text, 'posthorn_authentication_results_total{method="dkim",result="fail"}'),
    dmarc: value(text, 'posthorn_authentication_results_total{method="dmarc",result="none"}'),
    decided: value(text, 'posthorn_decisions_total{decision="accept"}'),
    delivered: value(
      text,
      'posthorn_delivery_attempts_total{site="google.com",outcome="delivered",status="2.0"}',
    ),
    here: value(text, 'posthorn_delivery_attempts_total{site="local",outcome="delivered",status="2.0"}'),
    failed: value(text, 'posthorn_delivery_attempts_total{site="none",outcome="failed",status="5.1"}'),
    inTls: value(text, 'posthorn_tls_total{direction="in",version="TLSv1.3",certificate="none"}'),
    outTls: value(text, 'posthorn_tls_total{direction="out",version="TLSv1.2",certificate="verified"}'),
    age: value(text, 'posthorn_delivery_seconds_sum{kind="remote"}'),
    spoken: value(text, 'posthorn_dialogue_seconds_sum'),
    route: value(text, 'posthorn_route_seconds_sum'),
    check: value(text, 'posthorn_sender_check_seconds_sum'),
    commit: value(text, 'posthorn_commit_seconds_count'),
    reports: value(text, 'posthorn_reports_total{kind="failure"}'),
  }).toEqual({
    ...{
      accepted: 1,
      bytes: 1000,
      refused: 1,
      spf: 1,
      dkim: 1,
      dmarc: 1,
      decided: 1,
      delivered: 1,
      here: 1,
      failed: 1,
      inTls: 1,
      outTls: 1,
    },
    ...{ age: 1, spoken: 0.6, route: 0.04, check: 0.15, commit: 1, reports: 1 },
  });
});

test('Metrics shows what is so now', async () => {
  const metrics = openMetrics();
  let close = () => {};
  metrics.sessions.began('smtp', new Promise<void>((resolve) => (close = resolve)));
  metrics.sessions.login('wrong');
  const text = await metrics.text();
  expect(value(text, 'posthorn_queue_jobs{state="waiting"}')).toBe(7);
  expect(value(text, 'posthorn_queue_oldest_seconds')).toBe(60);
  expect(value(text, 'posthorn_open_sessions{protocol="smtp"}')).toBe(1);
  expect(value(text, 'posthorn_logins_total{outcome="wrong"}')).toBe(1);
  expect(value(text, 'posthorn_bans')).toBe(3);
  expect([value(text, 'posthorn_live'), value(text, 'posthorn_ready')]).toEqual([1, 0]);
  expect(value(text, 'posthorn_certificate_expiry_seconds{name="mx.example.com"}')).toBe((at + 1000) / 1000);
  close();
  await new Promise(setImmediate);
  const later = await metrics.text();
  expect(value(later, 'posthorn_open_sessions{protocol="smtp"}')).toBe(0);
  expect(value(later, 'posthorn_sessions_total{protocol="smtp"}')).toBe(1);
});

test('Metrics counts the queue now and then, however often it is asked', async () => {
  const clock = fakeClock(at);
  let counted = 0;
  const metrics = new Metrics((host) => host);
  metrics.watch({
    store: {
      countJobs: async () => ({ waiting: ++counted, held: 0, underway: 0 }),
      listJobs: async () => ({ jobs: [] }),
    },
    clock,
    ...{ health: () => ({ live: true, ready: true, why: [] }), bans: () => 0, braked: () => 0 },
    ...{ certificates: () => [], version: '1' },
  });
  await metrics.text();
  await metrics.text();
  expect(counted).toBe(1);
  await clock.advance(queueCountMs);
  expect(value(await metrics.text(), 'posthorn_queue_jobs{state="waiting"}')).toBe(2);
});

test('labels are few, whatever the world is', () => {
  const label = nameLabels();
  const labels = Array.from({ length: 10_000 }, (_, index) => label(`mx${index}.example`));
  expect(new Set(labels).size).toBe(maxNames + 1);
  expect(labels.at(-1)).toBe('other');
  expect(['5.7.26', '4.4.999999', '9.1.1', '', undefined].map(statusLabel)).toEqual([
    ...['5.7', '4.4', 'none', 'none', 'none'],
  ]);
  expect(['550 5.7.1 No', '451 Later', 'what'].map(replyLabel)).toEqual(['5.7', '4.0', 'none']);
});

test('watchedStore() tells of events when they are on disk, and not of what failed', async () => {
  const seen: string[] = [];
  const store = {
    accept: async () => void seen.push('written'),
    settle: async () => Promise.reject(new Error('the disk is gone')),
    appendEvents: async () => undefined,
  };
  const watched = watchedStore(store as never, {
    noted: (noted) => seen.push(...noted.map(({ event }) => event)),
    committed: () => seen.push('committed'),
  });
  await watched.accept({ events: [{ event: 'accepted' }] } as never);
  await expect(watched.settle({ events: [{ event: 'failed' }], reports: [] } as never)).rejects.toThrow(
    'gone',
  );
  await watched.appendEvents([{ event: 'refused' }] as never);
  expect(seen).toEqual(['written', 'committed', 'accepted', 'refused']);
});

describe('spans', () => {
  const registered = Symbol.for('opentelemetry.js.api.1');
  afterEach(() => void Reflect.deleteProperty(globalThis, registered));

  test('all of a message is one trace, and each span has its time', () => {
    expect(traceOf(queueId)).toEqual(traceOf(queueId));
    expect(traceOf(queueId).traceId).toMatch(/^[0-9a-f]{32}$/);
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
      undefined,
      undefined,
    ]);
  });

  test('no span names a person', () => {
    expect(JSON.stringify(events.map(timedOf))).not.toMatch(/[a-d]@example/);
  });

  test('without an SDK there are none; with one it gets them, with the trace of the message as their parent', async () => {
    expect(await openSpans('1')).toBeUndefined();
    const { trace } = await import('@opentelemetry/api');
    const started: unknown[] = [];
    const span = {
      setStatus: (status: unknown) => started.push(status),
      end: (endMs: number) => started.push(endMs),
    };
    trace.setGlobalTracerProvider({
      getTracer: () => ({
        startSpan: (name: string, options: { startTime: number }, context: never) => {
          started.push(name, options.startTime, trace.getSpanContext(context)?.traceId);
          return span;
        },
      }),
    } as never);
    const spans = await openSpans('1');
    spans?.noted(events.slice(6, 7));
    expect(started).toEqual([
      'deliver',
      at,
      traceOf(queueId).traceId,
      { code: 2, message: 'sending RCPT TO' },
      at + 1000,
    ]);
    trace.disable();
  });
});

test('an SDK gets spans whose own copy of the interface is an earlier one than the newest: 1.9, as SDKs of 2026 ask for', async () => {
  const registered = Symbol.for('opentelemetry.js.api.1');
  const names: string[] = [];
  const span = { setStatus: () => undefined, end: () => undefined };
  const startSpan = (name: string) => {
    names.push(name);
    return span;
  };
  const tracer = { startSpan };
  // As that copy leaves it behind; ours refuses what is older than itself.
  Reflect.set(globalThis, registered, { version: '1.9.0', trace: { getTracer: () => tracer } });
  try {
    vi.resetModules();
    const { openSpans: openAnew } = await import('./spans.ts');
    (await openAnew('1'))?.noted(events.slice(6, 7));
  } finally {
    Reflect.deleteProperty(globalThis, registered);
  }
  expect(names).toEqual(['deliver']);
});

describe('docs', () => {
  test('docs/METRICS.md names every metric, and the dashboard none that is not there', async () => {
    const metrics = openMetrics();
    metrics.noted(events);
    const names = [...(await metrics.text()).matchAll(/^# TYPE (posthorn_\w+) /gm)].map(
      ([, name = '']) => name,
    );
    expect(names.length).toBeGreaterThan(20);
    const docs = readFileSync('docs/METRICS.md', 'utf8');
    expect(names.filter((name) => !docs.includes(`\`${name}\``))).toEqual([]);
    const dashboard = readFileSync('docs/grafana/posthorn.json', 'utf8');
    const { panels } = JSON.parse(dashboard) as { panels: { type: string; targets?: { expr: string }[] }[] };
    const drawn = panels.filter(({ type }) => type !== 'row');
    expect(drawn.length).toBeGreaterThan(8);
    for (const { targets } of drawn) expect(targets?.map(({ expr }) => expr)).not.toContain('');
    const used = new Set(
      [...dashboard.matchAll(/posthorn_\w+/g)].map(([name]) => name.replace(/_(bucket|sum|count)$/, '')),
    );
    expect(used.size).toBeGreaterThan(12);
    expect([...used].filter((name) => !names.includes(name))).toEqual([]);
  });
});
