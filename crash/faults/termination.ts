/**
 * SIGTERM in the middle of everything: sessions at every stage, deliveries that end soon and that never end, a mailbox
 * that is open, commands that are being answered. What can be finished is, in a bounded time, and nothing is lost.
 */

import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as tlsConnect } from 'node:tls';
import { letter } from '../../e2e/letters.ts';
import { readMaildir } from '../../e2e/maildir.ts';
import { runEmpty, traced, withAdmin } from '../../e2e/peers/control.ts';
import { type Dialogue, greet } from '../../e2e/peers/dialogue.ts';
import { startDns } from '../../e2e/peers/dns.ts';
import { flood, mark, numbered } from '../../e2e/peers/flood.ts';
import { type Posthorn, startPosthorn } from '../../e2e/peers/posthorn.ts';
import { type Scenario, type Stage, scenario } from '../../e2e/runner.ts';
import { missing, numbersIn, repeated } from '../../e2e/tally.ts';
import { eventually } from '../../e2e/wait.ts';
import { encodeFrame } from '../../src/admin/frames.ts';
import { stopLimitMs } from '../../src/cli/stop-limit.ts';
import { connectControl } from '../../src/net/control-socket.ts';
import { type AwkwardReceiver, startAwkwardReceiver } from './awkward-receiver.ts';

const alice = 'alice@example.com';
const password = 'secret';
const sender = 'sender@example.org';

const slowSite = { domain: 'slow.example', address: '127.0.5.1' };
const muteSite = { domain: 'mute.example', address: '127.0.5.2' };
/** The slow receiver takes so long over the final dot; the mute one never answers it. */
const thinkingMs = 2_000;
/** A message is still coming in for so long after the signal. */
const restOfMessageMs = 500;

/** Enough for dossiers that do not fit into a socket's buffers. */
const letters = 500;
/** Numbers of the other messages: one that comes in slowly, one that never ends, and those that end with the signal. */
const [halfWayNumber, stuckNumber] = [1_001, 1_002];
const dotNumbers = Array.from({ length: 10 }, (_, index) => 1_010 + index);
/** Who has nothing under way is told at once, on a busy machine too. */
const promptMs = 2_000;

export const termination: Scenario = scenario('SIGTERM during everything', async (stage) => {
  const { server, slow, mute } = await startPlaces(stage);
  const acknowledged = new Set<number>();
  await pour(server, (number) => acknowledged.add(number));
  await runEmpty(server);
  const sessions = await openEverything(server);
  for (const { domain } of [slowSite, muteSite]) await handIn(server, domain);
  const areWaiting = () => slow.messages.length === 1 && mute.messages.length === 1;
  await eventually('both final dots', () => areWaiting() || undefined);

  await terminate(stage, server, sessions, acknowledged);

  mute.findVoice();
  await server.start();
  await runEmpty(server);
  await lookAround(stage, server, acknowledged, { slow, mute });
  await server.kill(); // Nothing more is to be learned from another stop.
});

/** What is to be seen until the server has ended. */
async function terminate(
  { step }: Stage,
  server: Posthorn,
  { idle, halfWay, stuck, ending, reader }: Sessions,
  acknowledged: Set<number>,
): Promise<void> {
  const answers = Promise.all(ending.map(end));
  const startedAt = performance.now();
  process.kill(server.pid, 'SIGTERM');

  await step('a session with nothing under way hears 421 at once', async () => {
    match(await idle.reply(promptMs), /^421 /);
  });
  await step('a message that is coming in is taken', async () => {
    await pause(restOfMessageMs);
    match(await end(halfWay), /^250/);
    acknowledged.add(halfWayNumber);
  });
  for (const [index, answer] of (await answers).entries())
    if (answer.startsWith('250')) acknowledged.add(dotNumbers[index] ?? 0);
  await step(`the server ends by itself with 0, within ${stopLimitMs / 1000} s`, async () => {
    equal(await server.exited, 0);
    const tookMs = performance.now() - startedAt;
    ok(tookMs < stopLimitMs, `${Math.round(tookMs)} ms`);
  });
  await step('who never ends a message is not waited for, nor answered; a mailbox is closed', async () => {
    ok(!/^250/m.test(await stuck.rest()));
    ok(reader.isClosed());
  });
}

/** What is there after the next start. */
async function lookAround(
  { step }: Stage,
  server: Posthorn,
  acknowledged: ReadonlySet<number>,
  { slow, mute }: { slow: AwkwardReceiver; mute: AwkwardReceiver },
): Promise<void> {
  await step('all that was acknowledged is there, once, also what was marked in the mailbox', async () => {
    const found = numbersIn(await readMaildir(server.maildir(alice)));
    deepEqual(missing(acknowledged, found), []);
    deepEqual(repeated(found), new Map());
    ok(!found.includes(stuckNumber));
  });
  await step('a delivery that could be finished was: once, and not in doubt', async () => {
    equal(slow.messages.length, 1);
    deepEqual(await doubtsOf(server, slowSite.domain), []);
  });
  await step('one that could not was called in doubt, and tried again', async () => {
    equal(mute.messages.length, 2);
    ok((await doubtsOf(server, muteSite.domain)).length > 0);
  });
}

async function startPlaces(stage: Stage) {
  const port = await stage.world.port();
  const voice = Promise.withResolvers<void>();
  const slow = await thinkingReceiver(stage, { ...slowSite, port }, () => pause(thinkingMs));
  const mute = await thinkingReceiver(stage, { ...muteSite, port }, () => voice.promise);
  const server = await startPosthorn(stage.world, {
    dnsPort: await startDns(stage.world, {
      [slowSite.domain]: { A: [slowSite.address] },
      [muteSite.domain]: { A: [muteSite.address] },
    }),
    accounts: { [alice]: password },
    protocols: ['smtp', 'pop3s'],
    delivery: { port },
  });
  return { server, slow, mute: { ...mute, findVoice: voice.resolve } };
}

/** A receiver that thinks before it answers the final dot. */
function thinkingReceiver(
  { world }: Stage,
  { address, port }: { address: string; port: number },
  think: () => Promise<void>,
): Promise<AwkwardReceiver> {
  return startAwkwardReceiver(world, {
    address,
    port,
    pipelining: true,
    interfere: (moment, socket, reply) => {
      if (moment !== 'dot') return false;
      void think().then(() => socket.write(reply));
      return true;
    },
  });
}

interface Sessions {
  /** Has said EHLO, and nothing since. */
  idle: Dialogue;
  /** Of these messages only the final dot is missing. */
  halfWay: Dialogue;
  stuck: Dialogue;
  ending: Dialogue[];
  reader: { isClosed(): boolean };
}

async function openEverything(server: Posthorn): Promise<Sessions> {
  await deafCommand(server);
  return {
    idle: await greet(server.port('smtp')),
    halfWay: await openData(server, halfWayNumber),
    stuck: await openData(server, stuckNumber),
    ending: await Promise.all(dotNumbers.map((number) => openData(server, number))),
    reader: await deletingReader(server),
  };
}

/** Letters for alice, who reads them later. */
async function pour(server: Posthorn, acknowledged: (number: number) => void): Promise<void> {
  const port = server.port('smtp');
  await flood({ port, first: 1, count: letters, connections: 10, from: sender, to: [alice], acknowledged });
}

/** A message of which only the final dot is missing. */
async function openData(server: Posthorn, number: number): Promise<Dialogue> {
  const dialogue = await greet(server.port('smtp'));
  for (const line of [`MAIL FROM:<${sender}>`, `RCPT TO:<${alice}>`, 'DATA']) await dialogue.say(line);
  await dialogue.send(numbered({ number, from: sender, to: [alice], body: `${mark(number)}\r\n` }));
  return dialogue;
}

async function end(dialogue: Dialogue): Promise<string> {
  await dialogue.send('.\r\n');
  return dialogue.reply().catch(() => 'closed');
}

async function handIn(server: Posthorn, domain: string): Promise<void> {
  const to = `someone@${domain}`;
  const content = letter({ from: alice, to, id: domain });
  await withAdmin(server, (admin) => admin.send({ from: alice, recipients: [to], content }));
}

/** A POP3 session that has marked the first message for deletion, and says no more. */
async function deletingReader(server: Posthorn): Promise<{ isClosed(): boolean }> {
  const socket = tlsConnect({ port: server.port('pop3s'), host: '127.0.0.1', rejectUnauthorized: false });
  let heard = '';
  socket.on('error', () => {}); // 'close' follows, and is what matters.
  socket.setEncoding('latin1').on('data', (text: string) => {
    heard += text;
  });
  socket.write(`USER ${alice}\r\nPASS ${password}\r\nDELE 1\r\n`);
  await eventually('four answers', () => heard.split('+OK').length > 4 || undefined);
  return { isClosed: () => socket.closed };
}

/** A command that asks for a long answer and does not read it. */
async function deafCommand(server: Posthorn): Promise<void> {
  const connection = await connectControl(join(server.dataDir, 'control.sock'));
  const request = { operation: 'trace', request: { subject: alice, limit: letters } };
  await connection?.write(encodeFrame({ value: request }));
}

async function doubtsOf(server: Posthorn, domain: string): Promise<string[]> {
  const events = await traced(server, `<${domain}@letters.example>`);
  return events.flatMap((each) => {
    if (each.event === 'inDoubt') return [each.data.rule];
    const isDoubt = each.event === 'deferred' && each.data.phase.includes('may be sent more than once');
    return isDoubt ? [each.data.phase] : [];
  });
}
