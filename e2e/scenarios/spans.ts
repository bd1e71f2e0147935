/**
 * OpenTelemetry's own SDK, installed from npm beside the server and loaded as docs/METRICS.md says: what it writes is one trace, over a
 * kill and a restart, and no span's parent is missing.
 */

import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { letter } from '../letters.ts';
import { arrival } from '../maildir.ts';
import { deliver } from '../peers/dialogue.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { runOk } from '../process.ts';
import { scenario } from '../runner.ts';
import { eventually } from '../wait.ts';

const alice = 'alice@example.com';
const bob = 'bob@example.net';

/** Writes each span as a line when it ends, where the process that is killed cannot lose it. */
const setUp = (file: string) => `
import { appendFileSync } from 'node:fs';
import { trace } from '@opentelemetry/api';
import { BasicTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
const write = (span) => appendFileSync(${JSON.stringify(file)}, JSON.stringify({
  name: span.name, traceId: span.spanContext().traceId, spanId: span.spanContext().spanId,
  parent: span.parentSpanContext?.spanId, startMs: span.startTime[0] * 1000 + span.startTime[1] / 1e6,
  durationMs: span.duration[0] * 1000 + span.duration[1] / 1e6, queueId: span.attributes['posthorn.queue_id'] }) + '\\n');
const exporter = { export(spans, done) { spans.forEach(write); done({ code: 0 }); }, shutdown: async () => {} };
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
trace.setGlobalTracerProvider(provider);
`;

interface Span {
  name: string;
  traceId: string;
  spanId: string;
  parent?: string;
  startMs: number;
  durationMs: number;
  queueId: string;
}

export const spans = scenario('spans: the OpenTelemetry SDK gets one trace of a message', async (stage) => {
  const { world, step } = stage;
  const sdk = world.path('sdk');
  const written = world.path('spans.jsonl');
  await step(
    'the SDK comes from npm',
    async () => {
      await mkdir(sdk);
      await writeFile(join(sdk, 'package.json'), '{ "type": "module", "private": true }');
      await writeFile(join(sdk, 'otel.js'), setUp(written));
      const quietly = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
      const wanted = ['@opentelemetry/api@1.9.0', '@opentelemetry/sdk-trace-base@2.12.1'];
      await runOk('npm', ['install', ...quietly, ...wanted], { cwd: sdk, timeoutMs: 120_000 });
    },
    150_000,
  );

  const receiverPort = await world.port();
  const server = await startPosthorn(world, {
    protocols: ['smtp'],
    accounts: { [alice]: 'secret' },
    relay: { trustedNetworks: ['127.0.0.0/8'] },
    transports: [
      {
        domains: ['example.net'],
        protocol: 'smtp',
        host: '127.0.0.1',
        port: receiverPort,
        tls: 'opportunistic',
      },
    ],
    more: { guard: { enabled: false } },
    inside: ['/usr/bin/env', `NODE_OPTIONS=--import ${pathToFileURL(join(sdk, 'otel.js'))}`],
  });
  const all = async (): Promise<Span[]> => {
    const lines = (await readFile(written, 'utf8')).trimEnd().split('\n');
    return lines.map((line) => JSON.parse(line) as Span);
  };
  const named = (name: string, count = 1) =>
    eventually(`${count} spans ${name}`, async () => {
      const found = (await all()).filter((span) => span.name === name);
      return found.length >= count ? found : undefined;
    });

  await step('a message is received, and its first attempt fails', async () => {
    const content = letter({ from: alice, to: bob, id: 'traced' });
    match(await deliver(server.port('smtp'), { from: alice, to: [bob, alice] }, content), /^250/);
    await arrival(server.maildir(alice), 'traced');
    await named('deferred');
  });

  await step(
    'it is delivered after a kill: its spans hang from those of before, at their times',
    async () => {
      await server.kill();
      const receiver = await startPosthorn(world, {
        ...{
          name: 'receiver',
          hostname: 'mx.example.net',
          protocols: ['smtp'],
          ports: { smtp: receiverPort },
        },
        ...{ domains: [{ name: 'example.net' }], accounts: { [bob]: 'secret' }, tls: false },
      });
      await server.start();
      const { code, output } = await server.command(['queue', 'retry', '--all']);
      equal(code, 0, output);
      await arrival(receiver.maildir(bob), 'traced');
      await named('deliver', 2);
      const spans = await all();
      const [receive] = await named('receive');
      ok(receive);
      deepEqual(
        spans.filter(({ parent }) => parent === undefined),
        [receive],
      );
      deepEqual([...new Set(spans.map(({ traceId }) => traceId))], [receive.traceId]);
      const ids = new Set(spans.map(({ spanId }) => spanId));
      deepEqual(
        spans.filter(({ parent }) => parent !== undefined && !ids.has(parent)),
        [],
      );
      ok((await named('attempt', 2)).length >= 2);
      const now = Date.now();
      for (const { name, startMs, durationMs } of spans) {
        ok(
          startMs >= receive.startMs - 1 && startMs + durationMs <= now + 1000,
          `${name} at ${startMs} for ${durationMs}`,
        );
      }
    },
  );
});
