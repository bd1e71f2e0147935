/** `/metrics` as Prometheus' own library for Python reads it: what was delivered and refused is what is counted. */

import { equal, match, ok } from 'node:assert/strict';
import { letter } from '../letters.ts';
import { arrival } from '../maildir.ts';
import { deliver } from '../peers/dialogue.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { run, runOk } from '../process.ts';
import { scenario } from '../runner.ts';

const alice = 'alice@example.com';

/** Every sample as `name{labels} value`, by the reader that refuses what it does not understand. */
const reader = `
import json, sys
from prometheus_client.parser import text_string_to_metric_families
print(json.dumps([[s.name, s.labels, s.value] for f in text_string_to_metric_families(sys.stdin.read()) for s in f.samples]))
`;

type Sample = [name: string, labels: Record<string, string>, value: number];

export const metrics = scenario('metrics: what happens is counted', async ({ world, step }) => {
  const server = await startPosthorn(world, {
    protocols: ['smtp', 'https'],
    accounts: { [alice]: 'secret' },
    more: { guard: { enabled: false } },
  });
  const port = server.port('https');
  const get = async (...options: string[]) => {
    const place = ['--insecure', '--resolve', `mx.example.com:${port}:127.0.0.1`];
    const url = `https://mx.example.com:${port}/metrics`;
    return (await runOk('curl', ['--silent', '--fail', ...place, ...options, url])).stdout;
  };
  const samples = async (): Promise<
    (name: string, labels?: Record<string, string>) => number | undefined
  > => {
    const read = await runOk('/usr/bin/python3', ['-c', reader], { input: await get() });
    const all = JSON.parse(read.stdout.toString()) as Sample[];
    return (name, labels = {}) =>
      all.find(
        ([each, own]) => each === name && Object.entries(labels).every(([key, value]) => own[key] === value),
      )?.[2];
  };

  await step('Python reads them, and nothing has happened yet', async () => {
    const find = await samples();
    equal(find('posthorn_ready'), 1);
    equal(find('posthorn_messages_accepted_total', { via: 'smtp' }) ?? 0, 0);
    ok((find('process_resident_memory_bytes') ?? 0) > 1e6);
  });

  await step('a letter that is delivered, and one that is refused', async () => {
    const smtp = server.port('smtp');
    const from = 'carol@example.net';
    match(await deliver(smtp, { from, to: [alice] }, letter({ from, to: alice, id: 'counted' })), /^250/);
    await arrival(server.maildir(alice), 'counted');
    const elsewhere = 'x@example.org';
    match(await deliver(smtp, { from, to: [elsewhere] }, letter({ from, to: elsewhere, id: 'no' })), /^550/);
    const find = await samples();
    equal(find('posthorn_messages_accepted_total', { via: 'smtp' }), 1);
    equal(find('posthorn_delivery_attempts_total', { site: 'local', outcome: 'delivered' }), 1);
    equal(find('posthorn_delivery_seconds_count', { kind: 'local' }), 1);
    equal(find('posthorn_commit_seconds_count'), 1);
    equal(find('posthorn_decisions_total', { decision: 'accept' }), 1);
    ok((find('posthorn_sessions_total', { protocol: 'smtp' }) ?? 0) >= 2);
    ok((find('posthorn_dns_lookup_seconds_count') ?? 0) >= 1);
  });

  await step('a client that does not trust the certificate', async () => {
    const { code } = await run('openssl', [
      's_client',
      '-verify_return_error',
      '-connect',
      `127.0.0.1:${port}`,
    ]);
    ok(code !== 0);
    const find = await samples();
    equal(find('posthorn_tls_handshake_failures_total', { direction: 'in', reason: 'certificate' }), 1);
  });

  await step('curl may ask for OpenMetrics, and gets what is there', async () => {
    match((await get('--header', 'Accept: application/openmetrics-text')).toString(), /^# HELP /m);
  });
});
