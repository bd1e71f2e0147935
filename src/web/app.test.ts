import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseConfig } from '../config/load.ts';
import { httpServer } from '../net/http-server.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { askWeb } from '../testing/web-client.ts';
import type { Health } from '../util/health.ts';
import { createLog } from '../util/log.ts';
import { openWeb } from './app.ts';
import type { Origin } from './visitor.ts';

const toml = `hostname = "mx.example.com"
[[listener]]
protocol = "https"
[[listener]]
protocol = "http"
[[domain]]
name = "example.com"
[tls]
[web]
metrics = ["127.0.0.0/8", "192.0.2.0/24"]
`;
const well: Health = { live: true, ready: true, why: [] };

let health: Health;
let origin: Origin;
let listener: Server;
let answers: Map<string, string>;

beforeEach(async () => {
  [health, answers] = [well, new Map()];
  comes('127.0.0.1');
  const http = httpServer<Origin>(fakeClock());
  await openWeb(
    {
      config: await parseConfig(toml, '/etc/posthorn/posthorn.toml', { checkFiles: false }),
      log: createLog('silent'),
      health: () => health,
      metricsText: async () => 'posthorn_live 1\n',
      metricsToken: undefined,
      enter: () => ({ leave: () => undefined }),
      challengeResponse: (token) => answers.get(token),
    },
    http,
  );
  listener = createServer((socket) => void http.serve(socket, origin)).listen(0, '127.0.0.1');
  await once(listener, 'listening');
});
afterEach(() => void listener.close());

/** From now on visitors come from there. */
function comes(address: string, by: Origin['by'] = 'https') {
  origin = { by, peer: { address, port: 40_000, localAddress: '127.0.0.1', localPort: 443 } };
}

async function ask(path: string): Promise<[number, string]> {
  const { port } = listener.address() as AddressInfo; // it listens on TCP
  const { status, body } = await askWeb({ port, host: 'mx.example.com', path });
  return [status, body];
}

test('/healthz and /readyz say how the server is, each for itself', async () => {
  expect([await ask('/healthz'), await ask('/readyz')]).toEqual([
    [200, 'live\n'],
    [200, 'ready\n'],
  ]);
  health = { live: true, ready: false, why: ['the server is stopping'] };
  expect([await ask('/healthz'), await ask('/readyz')]).toEqual([
    [200, 'live\n'],
    [503, 'not ready\nthe server is stopping\n'],
  ]);
  health = { live: false, ready: false, why: ['the store is broken: disk I/O error'] };
  expect((await ask('/healthz'))[0]).toBe(503);
});

test('why a server is not ready, and its figures, are for those who may know more', async () => {
  health = { live: true, ready: false, why: ['the certificate has expired'] };
  comes('198.51.100.9');
  expect(await ask('/readyz')).toEqual([503, 'not ready\n']);
  expect((await ask('/metrics'))[0]).toBe(403);
  comes('192.0.2.9');
  expect(await ask('/readyz')).toEqual([503, 'not ready\nthe certificate has expired\n']);
  expect(await ask('/metrics')).toEqual([200, 'posthorn_live 1\n']);
});

test('an authority gets the answer to its challenge, without TLS, for as long as it is shown', async () => {
  comes('198.51.100.9', 'http');
  const path = '/.well-known/acme-challenge/token-1';
  expect((await ask(path))[0]).toBe(404);
  answers.set('token-1', 'token-1.thumbprint');
  expect(await ask(path)).toEqual([200, 'token-1.thumbprint']);
  answers.clear();
  expect((await ask(path))[0]).toBe(404);
});
