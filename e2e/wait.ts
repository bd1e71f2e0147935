/** Waiting for what another program does: the only place here that looks again and again. */

import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** Resolves to the first value of `probe` that is not undefined; rejects after `limitMs` (default 20 s). */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
  limitMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`waited ${limitMs / 1000} s in vain for ${what}`);
    await pause(30);
  }
}

/** Resolves when `port` of an address takes connections. */
export async function listening(port: number, address = '127.0.0.1'): Promise<void> {
  await eventually(`a listener on port ${port}`, async () =>
    (await accepts(port, address)) ? true : undefined,
  );
}

function accepts(port: number, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, address);
    const settle = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });
}
