import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { frame } from '../dns/frames.ts';
import { systemClock } from '../util/clock.ts';
import { exchangeOverTcp } from './dns-exchange.ts';

/** Asks a TCP server that does with the connection as the test says. */
async function ask(
  serve: (socket: Socket) => void,
  limits: { timeoutMs?: number; signal?: AbortSignal } = {},
) {
  const server = createServer((socket) => socket.once('data', () => serve(socket)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  // A server that listens on a port has an address of this kind.
  const { address, port } = server.address() as AddressInfo;
  const read = (bytes: Buffer) => (bytes.equals(Buffer.from('foreign')) ? undefined : bytes.toString());
  const query = Buffer.from('query');
  return exchangeOverTcp({
    server: { address, port },
    query,
    read,
    clock: systemClock,
    timeoutMs: 5_000,
    ...limits,
  });
}

describe('exchangeOverTcp()', () => {
  test('gives the reply, however it is cut', async () => {
    const reply = await ask((socket) => {
      socket.setNoDelay();
      for (const octet of frame(Buffer.from('reply'))) socket.write(Buffer.from([octet]));
    });
    expect(reply).toEqual({ reply: 'reply' });
  });

  test('says why there is none', async () => {
    expect(await ask((socket) => socket.end())).toEqual({ error: 'closed the connection without a reply' });
    expect(await ask((socket) => socket.resetAndDestroy())).toEqual({
      error: expect.stringContaining('ECONNRESET'),
    });
    expect(await ask((socket) => socket.write(frame(Buffer.from('foreign'))))).toEqual({
      error: 'a reply to another question',
    });
  });

  test('waits for a server that announces and never sends only so long', async () => {
    const outcome = await ask((socket) => socket.write(Buffer.from([0xff, 0xff, 1])), { timeoutMs: 20 });
    expect(outcome).toEqual({ error: 'no reply within 20 ms' });
  });

  test('ends with the signal', async () => {
    const leaving = new AbortController();
    const outcome = ask(() => leaving.abort(new Error('gone')), { signal: leaving.signal });
    await expect(outcome).rejects.toThrow('gone');
  });
});
