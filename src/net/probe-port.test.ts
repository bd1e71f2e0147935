import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { fakeClock } from '../testing/fake-clock.ts';
import { systemClock } from '../util/clock.ts';
import { probeListening, probeReaching } from './probe-port.ts';

async function listening(): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // of a TCP server
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

it('probeListening() tells a free port from one that is taken, and from an address of another machine', async () => {
  let port: number;
  {
    await using server = await listening();
    port = server.port;
    expect(await probeListening('127.0.0.1', port)).toBe('taken');
  }
  expect(await probeListening('127.0.0.1', port)).toBe('free');
  expect(await probeListening('127.0.0.1', port)).toBe('free');
  expect(await probeListening('192.0.2.1', port)).toBe('absent');
});

it('probeReaching() says nothing of a port that answers, and why one does not', async () => {
  const parts = { timeoutMs: 5000, clock: systemClock };
  let port: number;
  {
    await using server = await listening();
    port = server.port;
    expect(await probeReaching({ address: '127.0.0.1', port }, parts)).toBeUndefined();
  }
  expect(await probeReaching({ address: '127.0.0.1', port }, parts)).toContain('ECONNREFUSED');
});

it('probeReaching() waits no longer than it is told', async () => {
  await using server = await listening();
  const clock = fakeClock();
  const after: typeof clock.after = (_, action) => {
    action();
    return () => undefined;
  };
  expect(
    await probeReaching(
      { address: '127.0.0.1', port: server.port },
      { timeoutMs: 5000, clock: { ...clock, after } },
    ),
  ).toBe('no answer within 5 s');
});
