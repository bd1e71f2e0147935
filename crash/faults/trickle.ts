/**
 * A receiver that lets its replies trickle, an octet a second. Others are not held up by it; and where a reply never
 * ends, its time does (RFC 5321 §4.5.3.2): shown by a clock that runs a hundred times as fast, on real sockets.
 */

import { equal, match, ok } from 'node:assert/strict';
import type { Socket } from 'node:net';
import { letter } from '../../e2e/letters.ts';
import { withAdmin } from '../../e2e/peers/control.ts';
import { startDns } from '../../e2e/peers/dns.ts';
import { startPosthorn } from '../../e2e/peers/posthorn.ts';
import { type Scenario, type Stage, scenario } from '../../e2e/runner.ts';
import { eventually } from '../../e2e/wait.ts';
import { defaultTimeouts } from '../../src/smtp/client-timeouts.ts';
import { startWorld } from '../../src/testing/world.ts';
import { type Moment, startAwkwardReceiver } from './awkward-receiver.ts';
import { fastClock } from './clocks.ts';

const alice = 'alice@example.com';
const slow = '127.0.2.1';
const healthy = '127.0.2.2';

/** More than the slow site may have under way at once. */
const messagesEach = 30;
const promptMs = 10_000;

const factor = 100;
/** What a busy machine adds to a limit, on the fast clock. */
const slackMs = 1_500 * factor;

/** The moments at which a reply may trickle, and how long it may. */
const limits: readonly (readonly [Moment, number])[] = [
  ['greeting', defaultTimeouts.greetingMs],
  ['EHLO', defaultTimeouts.helloMs],
  ['MAIL', defaultTimeouts.mailMs],
  ['RCPT', defaultTimeouts.rcptMs],
  ['DATA', defaultTimeouts.dataMs],
  ['dot', defaultTimeouts.endOfDataMs],
];

export const trickle: Scenario = scenario('a receiver that trickles', async (stage) => {
  await Promise.all([besideOthers(stage), withoutEnd(stage)]);
});

async function besideOthers({ world, step }: Stage): Promise<void> {
  const port = await world.port();
  const base = { port, pipelining: true };
  await startAwkwardReceiver(world, {
    ...base,
    address: slow,
    interfere: (_, socket, reply) => trickling(socket, reply, 1_000),
  });
  const sound = await startAwkwardReceiver(world, { ...base, address: healthy, interfere: () => false });
  const server = await startPosthorn(world, {
    dnsPort: await startDns(world, { 'slow.example': { A: [slow] }, 'healthy.example': { A: [healthy] } }),
    accounts: { [alice]: 'secret' },
    protocols: ['smtp'],
    delivery: { port },
  });
  await step('one octet a second: mail for other sites is delivered meanwhile', async () => {
    await withAdmin(server, async (admin) => {
      for (const domain of ['slow.example', 'healthy.example'])
        for (let count = 0; count < messagesEach; count += 1) {
          const to = `number-${count}@${domain}`;
          await admin.send({ from: alice, recipients: [to], content: letter({ from: alice, to, id: to }) });
        }
    });
    await eventually('the others', () => sound.messages.length === messagesEach || undefined, promptMs);
  });
  await server.kill(); // It would let the slow deliveries end, as far as its time goes.
}

async function withoutEnd({ world, step }: Stage): Promise<void> {
  const port = await world.port();
  for (const [index, [moment]] of limits.entries()) {
    await startAwkwardReceiver(world, {
      address: endlessAddress(index),
      port,
      pipelining: false,
      interfere: (now, socket) => now === moment && trickling(socket, endless(moment), 1_000 / factor),
    });
  }
  await using internet = await startWorld({
    servers: { 'example.com': { accounts: { [alice]: 'secret' }, settings: { delivery: { port } } } },
    clock: fastClock(factor),
  });
  const server = internet.servers['example.com'];
  await Promise.all(
    limits.map(([moment, limitMs], index) =>
      step(
        `a reply without end (${moment}): given up after ${limitMs / 1000} s, and tried again later`,
        async () => {
          const { queueId = '' } = await server.submit({
            from: alice,
            to: `someone@[${endlessAddress(index)}]`,
          });
          const [outcome] = await server.settled(queueId, 60_000);
          equal(outcome?.state, 'deferred');
          const attempt = await server.event(queueId, 'attempted');
          match(attempt.data.error ?? '', new RegExp(`no reply within ${limitMs / 1000} s`));
          // Where the dot went out and no answer came, nobody knows whether the message arrived.
          const { at } = await server.event(queueId, moment === 'dot' ? 'inDoubt' : 'deferred');
          ok(at - attempt.at < limitMs + slackMs, `${(at - attempt.at) / 1000} s`);
        },
      ),
    ),
  );
}

/** Mail goes straight to the address: on the fast clock, a question to DNS has no time for an answer. */
const endlessAddress = (index: number): string => `127.0.3.${index + 1}`;

/** A reply that has many lines, and never its last. */
function endless(moment: Moment): string {
  const code = moment === 'greeting' ? 220 : moment === 'DATA' ? 354 : 250;
  return `${code}-and more to come\r\n`.repeat(100);
}

/** Writes octet by octet; true, as the connection has been taken over. */
function trickling(socket: Socket, reply: string, everyMs: number): true {
  let sent = 0;
  const timer = setInterval(() => {
    socket.write(reply.charAt(sent));
    sent += 1;
    if (sent === reply.length) clearInterval(timer);
  }, everyMs);
  socket.once('close', () => clearInterval(timer));
  return true;
}
