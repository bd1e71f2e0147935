/** An HTTPS server on loopback for tests, which answers what it is told and remembers what it was asked. */

import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certificate } from './certificates.ts';

export interface HttpsHost extends AsyncDisposable {
  readonly port: number;
  /** In order. */
  readonly requests: readonly { method: string; url: string; headers: IncomingHttpHeaders; body: Buffer }[];
  /** What the next ones get. The default is an empty 200. */
  answer: (response: ServerResponse, request: IncomingMessage) => void;
}

/** Listens on 127.0.0.1. */
export async function startHttpsHost(certificate: Certificate, port = 0): Promise<HttpsHost> {
  const requests: HttpsHost['requests'][number][] = [];
  const server = createServer(certificate, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = '', url = '', headers } = request;
    requests.push({ method, url, headers, body: Buffer.concat(chunks) });
    host.answer(response, request);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const host: HttpsHost = {
    port: (server.address() as AddressInfo).port, // it listens on TCP
    requests,
    answer: (response) => void response.end(),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return host;
}
