/**
 * The clock jumps by a day, forward and back, in a server that runs: its wall clock only, as a wrong time server would
 * have it, while timers go on. Nothing is lost, sent twice or given up, and nothing spins.
 */

import { equal, ok } from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { type Scenario, type Stage, scenario } from '../../e2e/runner.ts';
import { eventually } from '../../e2e/wait.ts';
import { retryQueue } from '../../src/testing/retry-queue.ts';
import { startWorld } from '../../src/testing/world.ts';
import type { WorldServer } from '../../src/testing/world-server.ts';
import { type AwkwardReceiver, startAwkwardReceiver } from './awkward-receiver.ts';
import { jumpingClock } from './clocks.ts';

const alice = 'alice@example.com';
const dayMs = 24 * 3600_000;

/** The slow receiver takes so long over the final dot. */
const thinkingMs = 1_500;
/** An idle server sets hardly any timers in a second. */
const idleMs = 1_000;
const idleTimers = 30;

export const clockJumps: Scenario = scenario('the clock jumps by a day', async (stage) => {
  const { step } = stage;
  const port = await stage.world.port();
  const [slow, down] = [await slowReceiver(stage, port), await downReceiver(stage, port)];
  const clock = jumpingClock();
  await using internet = await startWorld({
    servers: { 'example.com': { accounts: { [alice]: 'secret' }, settings: { delivery: { port } } } },
    dns: { 'slow.example': { A: [slow.address] }, 'down.example': { A: [down.address] } },
    clock,
  });
  const server = internet.servers['example.com'];
  const send = async (to: string) => (await server.submit({ from: alice, to })).queueId ?? '';

  await step('forward, beyond the lease of a delivery under way: it is not begun a second time', async () => {
    const queueId = await send('someone@slow.example');
    await eventually('the final dot', () => slow.receiver.messages.length === 1 || undefined);
    clock.jump(dayMs);
    await server.withAdmin(retryQueue);
    await send(alice); // The schedule looks into the store.
    equal((await server.settled(queueId))[0]?.state, 'delivered');
    equal(slow.receiver.messages.length, 1);
  });

  await step('forward, while a message waits: it is due with the next event, and not given up', async () => {
    const queueId = await send('first@down.example');
    equal((await server.settled(queueId))[0]?.state, 'deferred');
    clock.jump(dayMs);
    down.heal(true);
    await send(alice);
    await eventually('the message', () => down.receiver.messages.length === 1 || undefined);
    await eventually('an empty queue', async () => (await isEmpty(server)) || undefined);
  });

  await step(
    'back, while a message waits: new mail is delivered at once, what waits when it is asked for',
    async () => {
      down.heal(false);
      const queueId = await send('second@down.example');
      equal((await server.settled(queueId))[0]?.state, 'deferred');
      clock.jump(-dayMs);
      down.heal(true);
      const there = (await server.inbox(alice)).length;
      await send(alice);
      await server.inbox(alice, there + 1);
      await server.withAdmin(retryQueue);
      await eventually('the message', () => down.receiver.messages.length === 2 || undefined);
      await eventually('an empty queue', async () => (await isEmpty(server)) || undefined);
    },
  );

  await step('back, and a new start: what was accepted in the future is there, and goes out', async () => {
    down.heal(false);
    const queueId = await send('third@down.example');
    await server.settled(queueId);
    await server.stop();
    clock.jump(-dayMs);
    await server.start();
    down.heal(true);
    await server.withAdmin(retryQueue);
    await eventually('the message', () => down.receiver.messages.length === 3 || undefined);
  });

  await step('after all this nothing spins', async () => {
    const before = clock.timersSet;
    await pause(idleMs);
    const set = clock.timersSet - before;
    ok(set < idleTimers, `${set} timers in ${idleMs} ms`);
  });
});

const isEmpty = (server: WorldServer): Promise<boolean> =>
  server.withAdmin(async (admin) => (await admin.listQueue({ limit: 1 })).jobs.length === 0);

interface Site {
  address: string;
  receiver: AwkwardReceiver;
}

async function slowReceiver({ world }: Stage, port: number): Promise<Site> {
  const address = '127.0.4.1';
  const receiver = await startAwkwardReceiver(world, {
    address,
    port,
    pipelining: true,
    interfere: (moment, socket, reply) => {
      if (moment === 'dot') setTimeout(() => socket.write(reply), thinkingMs);
      return moment === 'dot';
    },
  });
  return { address, receiver };
}

async function downReceiver({ world }: Stage, port: number): Promise<Site & { heal(well: boolean): void }> {
  const address = '127.0.4.2';
  let isWell = false;
  const receiver = await startAwkwardReceiver(world, {
    address,
    port,
    pipelining: true,
    interfere: (moment, socket) => {
      if (isWell || moment !== 'MAIL') return false;
      socket.end('421 4.3.2 Come again\r\n');
      return true;
    },
  });
  const heal = (well: boolean) => {
    isWell = well;
  };
  return { address, receiver, heal };
}
