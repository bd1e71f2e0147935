import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { freePort } from '../testing/free-ports.ts';
import { askWeb } from '../testing/web-client.ts';
import { startWorld, type World } from '../testing/world.ts';

const sender = 'sender@example.com';
const address = '127.0.0.1';

let world: World<'example.com'>;
let port: number;
beforeAll(async () => {
  port = await freePort([address]);
  const accounts = { [sender]: 'secret' };
  world = await startWorld({
    servers: { 'example.com': { accounts } },
    dns: { 'example.net': { MX: [[10, 'mx.example.net']] } },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

/** The samples of that name, with their labels, added up. */
async function figure(start: string): Promise<number> {
  const { body } = await askWeb({ port, host: 'localhost', path: '/metrics' });
  const found = body.split('\n').filter((line) => line.startsWith(start));
  return found.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

test('after a reload that adds a web listener all is counted from then on: messages, sessions, handshakes, DNS', async () => {
  const server = world.servers['example.com'];
  await server.submit({ from: sender, to: [sender], subject: 'Before' });
  const before = Date.now() / 1000;
  await server.reload((toml) => {
    const listeners = Array.isArray(toml.listener) ? toml.listener : [];
    toml.listener = [...listeners, { protocol: 'http', address, port }];
  });
  expect(await figure('posthorn_counting_since_seconds')).toBeGreaterThanOrEqual(before - 1);
  expect(await figure('posthorn_ready ')).toBe(1);

  const { queueId = '' } = await server.submit({
    from: sender,
    to: [sender, 'bob@example.net'],
    subject: 'After',
  });
  await server.settled(queueId);
  const client = connect(server.endpoint('submissions').port, address);
  client.end('GET / HTTP/1.1\r\n\r\n');
  await once(client.resume(), 'close');
  expect(await figure('posthorn_messages_accepted_total{via="submission"}')).toBe(1);
  expect(await figure('posthorn_sessions_total{protocol="submission"}')).toBeGreaterThanOrEqual(1);
  expect(await figure('posthorn_dns_lookups_total{type="MX",outcome="found"}')).toBeGreaterThanOrEqual(1);
  expect(await figure('posthorn_dns_lookup_seconds_count')).toBeGreaterThanOrEqual(1);
  await eventually(
    async () =>
      (await figure('posthorn_tls_handshake_failures_total{direction="in",reason="not_tls"}')) || undefined,
    { explain: () => 'the failed handshake is not counted' },
  );
});
