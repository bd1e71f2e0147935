/** One request of HTTP/1.1 and its answer, over a connection that stands: bounded, and never a rejection. RFC 9110, RFC 9112. */

import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';

export interface HttpRequest {
  method: 'GET' | 'POST';
  /** With its query. */
  path: string;
  /** A list is sent as so many fields. */
  headers: Readonly<Record<string, string | string[]>>;
  /** Of a stream, `content-length` is for the caller to say. What it throws ends the exchange. */
  body?: Buffer | AsyncIterable<Buffer> | undefined;
  /** Octets of the answer's body. */
  maxBytes: number;
}

export interface HttpAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

export interface HttpFailure {
  kind: 'protocol' | 'size';
  problem: string;
}

/** Octets of the answer's header. */
const maxHeaderBytes = 16_384;

/** A socket that is destroyed meanwhile is a failure too. */
export function exchange(
  socket: Socket,
  { method, path, headers, body, maxBytes }: HttpRequest,
): Promise<HttpAnswer | HttpFailure> {
  return new Promise((resolve) => {
    const asking = request({
      createConnection: () => socket,
      method,
      path,
      headers: { ...headers, connection: 'close' },
      maxHeaderSize: maxHeaderBytes,
    });
    let answered = false;
    const noAnswer = (message: string) => resolve(failure('protocol', `no answer of HTTP: ${message}`));
    asking.on('error', (error) => noAnswer(textOf(error)));
    // Where the server changes to another protocol, this is all that happens.
    asking.once('close', () => answered || noAnswer('the connection was closed'));
    asking.once('response', (response) => {
      answered = true;
      void bodyOf(response, maxBytes).then((read) => {
        const { statusCode: status = 0, headers } = response;
        resolve('problem' in read ? read : { status, headers, body: read });
      });
    });
    if (body === undefined || Buffer.isBuffer(body)) asking.end(body);
    else void send(asking, body).catch((error) => asking.destroy(error));
  });
}

/** An answer may come, and the connection end, before all is said. */
async function send(asking: ReturnType<typeof request>, body: AsyncIterable<Buffer>): Promise<void> {
  let isOpen = true;
  const closed = new Promise<void>((resolve) => asking.once('close', resolve));
  void closed.then(() => {
    isOpen = false;
  });
  for await (const chunk of body) {
    if (!isOpen) return;
    if (!asking.write(chunk))
      await Promise.race([new Promise((resolve) => asking.once('drain', resolve)), closed]);
  }
  if (isOpen) asking.end();
}

/** Never rejects: what breaks off is a failure. */
async function bodyOf(response: IncomingMessage, maxBytes: number): Promise<Buffer | HttpFailure> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of response) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) return failure('size', `the answer has more than ${maxBytes} octets`);
      chunks.push(chunk);
    }
  } catch (error) {
    return failure(
      'protocol',
      `the answer broke off: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return Buffer.concat(chunks);
}

/** OpenSSL's messages are long and name source files; its `reason` says it in three words. */
export const textOf = (error: Error): string =>
  'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;

const failure = (kind: HttpFailure['kind'], problem: string): HttpFailure => ({ kind, problem });
