/** A web client for tests: one request to a port of loopback, under whatever host it likes, and what came of it. */

import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';

export interface Asking {
  port: number;
  /** By HTTPS, and whose certificates are believed, PEM. */
  authority?: string;
  /** `Host`. */
  host: string;
  /** For TLS; default: the host. */
  serverName?: string;
  path: string;
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
}

export interface Answered {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Rejects with the error of the connection. */
export async function askWeb({
  port,
  authority,
  host,
  serverName,
  headers,
  body = '',
  ...what
}: Asking): Promise<Answered> {
  const options = { ...what, host: '127.0.0.1', port, headers: { ...headers, host }, agent: false };
  const asking =
    authority === undefined
      ? plainRequest(options)
      : secureRequest({ ...options, ca: authority, servername: serverName ?? host.replace(/:\d+$/, '') });
  asking.end(body);
  const [answer]: IncomingMessage[] = await once(asking, 'response');
  if (answer === undefined) throw new Error('no answer'); // an event without it is none
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks).toString() };
}
