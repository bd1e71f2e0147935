/** Whole requests to the web listeners, from their first octet to the answer: HTTP itself, hosts, routes, queries and bodies. */

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseConfig } from '../../src/config/load.ts';
import { type HttpServer, httpServer } from '../../src/net/http-server.ts';
import { systemClock } from '../../src/util/clock.ts';
import { createLog } from '../../src/util/log.ts';
import { openWeb } from '../../src/web/app.ts';
import type { Origin } from '../../src/web/visitor.ts';
import { byChance, type Cut, whole } from '../packets.ts';
import type { Random } from '../random.ts';
import { between, demand, type Target } from './target.ts';

const toml = `hostname = "mx.example.com"
[[listener]]
protocol = "https"
[[listener]]
protocol = "submissions"
[[listener]]
protocol = "pop3s"
[[domain]]
name = "example.com"
[tls]
[web]
metrics = ["192.0.2.0/24"]
`;

const peer = { address: '192.0.2.1', port: 40_000, localAddress: '192.0.2.2', localPort: 443 };
const origins: readonly Origin[] = [
  { by: 'https', peer },
  { by: 'proxied', peer },
];

let server: Promise<HttpServer<Origin>> | undefined;

async function start(): Promise<HttpServer<Origin>> {
  const http = httpServer<Origin>(systemClock);
  const parts = {
    config: await parseConfig(toml, '/etc/posthorn/posthorn.toml', { checkFiles: false }),
    log: createLog('silent'),
    health: () => ({ live: true, ready: false, why: ['it is fuzzed'] }),
    metricsText: async () => 'posthorn_live 1\n',
    metricsToken: 'secret',
    enter: () => ({ leave: () => undefined }),
    challengeResponse: (token: string) => (token === 'token' ? 'token.print' : undefined),
  };
  await openWeb(parts, http);
  return http;
}

/** What a client sends, and what it hears. */
class Connection extends Duplex {
  readonly #heard: Buffer[] = [];
  override _read(): void {}
  override _write(octets: Buffer, _: string, done: () => void): void {
    this.#heard.push(octets);
    done();
  }
  destroySoon(): void {
    this.end(() => this.destroy());
  }
  get heard(): string {
    return Buffer.concat(this.#heard).toString('latin1');
  }
}

async function converse(input: Buffer, origin: Origin, cut: Cut): Promise<string> {
  server ??= start();
  const http = await server;
  const connection = new Connection();
  const closed = once(connection, 'close');
  http.serve(connection as unknown as Socket, origin); // Node's HTTP server takes any stream for a socket
  for (const piece of cut(input)) {
    if (connection.destroyed) break;
    connection.push(piece);
    await nextTurn();
  }
  if (!connection.destroyed) connection.push(null);
  await closed;
  return connection.heard;
}

const statusLines = (heard: string): string[] => heard.match(/^HTTP\/1\.1 .*$/gm) ?? [];

/** Which answers there are may depend on the pieces: what is no request ends the connection, whatever is not answered yet. */
async function check(input: Buffer): Promise<void> {
  for (const origin of origins)
    for (const cut of [whole, byChance]) {
      const heard = await converse(input, origin, cut);
      demand(heard === '' || heard.startsWith('HTTP/1.1 '), 'an answer of something else');
      demand(!statusLines(heard).some((line) => line.startsWith('HTTP/1.1 500')), 'an error of ours');
    }
}

const request = (line: string, ...fields: readonly string[]): string =>
  `${[line, ...fields].join('\r\n')}\r\n\r\n`;

const question =
  '<Autodiscover><Request><EMailAddress>ann@example.com</EMailAddress></Request></Autodiscover>';
const requests: readonly string[] = [
  request('GET /healthz HTTP/1.1', 'Host: mx.example.com'),
  request('GET /metrics HTTP/1.1', 'Host: mx.example.com', 'Authorization: Bearer secret'),
  request('GET /.well-known/mta-sts.txt HTTP/1.1', 'Host: mta-sts.example.com'),
  request('GET /.well-known/acme-challenge/token HTTP/1.1', 'Host: mx.example.com:80'),
  request(
    'GET /mail/config-v1.1.xml?emailaddress=ann%40example.com HTTP/1.1',
    'Host: autoconfig.example.com',
  ),
  request('GET /mobileconfig?address=ann@example.com HTTP/1.1', 'Host: mx.example.com', 'Connection: close'),
  request(
    'HEAD https://mx.example.com/readyz HTTP/1.1',
    'Host: x',
    'X-Forwarded-For: 203.0.113.1, 192.0.2.9',
  ),
  `${request('POST /autodiscover/autodiscover.xml HTTP/1.1', 'Host: autodiscover.example.com', `Content-Length: ${question.length}`, 'Content-Type: text/xml')}${question}`,
  `${request('POST /Autodiscover/Autodiscover.xml HTTP/1.1', 'Host: autodiscover.example.com', 'Transfer-Encoding: chunked', 'Content-Encoding: gzip')}3\r\n<A>\r\n0\r\n\r\n`,
];

const generate = (random: Random): Buffer =>
  Buffer.from(random.some(4, () => random.pick(requests)).join(''), 'latin1');

const host = '\r\nHost: mx.example.com\r\n\r\n';

export const webRequests: Target = {
  name: 'web-requests',
  seeds: () => requests.map((text) => Buffer.from(text, 'latin1')),
  generate,
  read: (input) => converse(input, { by: 'https', peer }, whole),
  check,
  places: [
    between('GET /', ` HTTP/1.1${host}`),
    between('GET /mobileconfig?address=', ` HTTP/1.1${host}`),
    between('GET /?', ` HTTP/1.1${host}`),
    between('GET / HTTP/1.1\r\nX: ', host),
    between('GET / HTTP/1.1\r\n', host),
    between(`POST /autodiscover/autodiscover.xml HTTP/1.1\r\nContent-Length: 999999${host}`),
    between(`POST /autodiscover/autodiscover.xml HTTP/1.1\r\nTransfer-Encoding: chunked${host}`),
  ],
};
