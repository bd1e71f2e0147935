import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fakeClock } from '../testing/fake-clock.ts';
import { at, events } from '../testing/telemetry-events.ts';
import { maxNames, nameLabels, replyLabel, statusLabel } from './labels.ts';
import { Metrics } from './metrics.ts';
import { queueCountMs } from './state-metrics.ts';
import { watchedStore } from './watched-store.ts';

/** Of `name{labels} value` lines. */
const value = (text: string, line: string): number | undefined => {
  const found = text.split('\n').find((each) => each.startsWith(`${line} `));
  return found === undefined ? undefined : Number(found.slice(line.length + 1));
};

function openMetrics(): Metrics {
  const metrics = new Metrics((host) => (host.endsWith('.google.com') ? 'google.com' : host), at);
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
  const metrics = new Metrics((host) => host, at);
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

test('Metrics counts handshakes that fail, and questions to DNS', async () => {
  const metrics = new Metrics((host) => host, at);
  const { network } = metrics;
  network.handshakeFailed('in', 'version');
  network.handshakeFailed('out', 'timeout');
  network.lookedUp({ type: 'MX', outcome: 'found', durationMs: 20 });
  network.lookedUp({ type: 'MX', outcome: 'failed', durationMs: 12_000 });
  const text = await metrics.text();
  expect(value(text, 'posthorn_tls_handshake_failures_total{direction="in",reason="version"}')).toBe(1);
  expect(value(text, 'posthorn_tls_handshake_failures_total{direction="out",reason="timeout"}')).toBe(1);
  expect(value(text, 'posthorn_dns_lookups_total{type="MX",outcome="failed"}')).toBe(1);
  expect(value(text, 'posthorn_dns_lookup_seconds_bucket{le="0.025"}')).toBe(1);
  expect(value(text, 'posthorn_dns_lookup_seconds_count')).toBe(2);
  expect(value(text, 'posthorn_counting_since_seconds')).toBe(at / 1000);
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
  const watch = {
    noted: (noted: readonly { event: string }[]) => void seen.push(...noted.map(({ event }) => event)),
    committed: () => void seen.push('committed'),
  };
  let watching: typeof watch | undefined = watch;
  const watched = watchedStore(store as never, () => watching);
  await watched.accept({ events: [{ event: 'accepted' }] } as never);
  await expect(watched.settle({ events: [{ event: 'failed' }], reports: [] } as never)).rejects.toThrow(
    'gone',
  );
  await watched.appendEvents([{ event: 'refused' }] as never);
  watching = undefined;
  await watched.appendEvents([{ event: 'unseen' }] as never);
  expect(seen).toEqual(['written', 'committed', 'accepted', 'refused']);
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
