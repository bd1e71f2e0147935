/**
 * An address where whoever calls hears nothing, as behind a broken tunnel: no refusal, no connection. A listener whose
 * thread stands still and whose queue is full; Linux lets every further SYN fall.
 */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

const listener = `
  const { parentPort, workerData } = require('node:worker_threads');
  const server = require('node:net').createServer();
  server.listen({ ...workerData.at, backlog: 1 }, () => {
    parentPort.postMessage('listening');
    setImmediate(() => Atomics.wait(workerData.gate, 0, 0));
  });
`;

/** More than fit into the queue of one that listens with a backlog of 1. */
const callers = 4;

export async function blackHole(address: string, port: number): Promise<AsyncDisposable> {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(listener, { eval: true, workerData: { at: { host: address, port }, gate } });
  await once(worker, 'message');
  const queue: Socket[] = [];
  for (let caller = 0; caller < callers; caller++) {
    const socket = connect({ host: address, port });
    socket.on('error', () => socket.destroy());
    queue.push(socket);
  }
  await once(queue[0] ?? connect(port), 'connect');
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of queue) socket.destroy();
      Atomics.store(gate, 0, 1);
      Atomics.notify(gate, 0);
      await worker.terminate();
    },
  };
}
