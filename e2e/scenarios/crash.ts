/** `250` means on disk: the server is killed twice in the middle of 2,000 messages, and nothing acknowledged is lost. */

import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readMaildir } from '../maildir.ts';
import { startDns } from '../peers/dns.ts';
import { flood, messageId, numberIn } from '../peers/flood.ts';
import { type Posthorn, startPosthorn } from '../peers/posthorn.ts';
import { type Received, startSink } from '../peers/sink.ts';
import { scenario } from '../runner.ts';
import { missing, numbersIn, repeated } from '../tally.ts';
import { eventually } from '../wait.ts';

const alice = 'alice@example.com';
const total = 2_000;

/** The server is killed when so many messages have been acknowledged. */
const killAt = [600, 1_300];

/** A duplicate's first copy came at most this long before a kill: its outcome was not yet on disk. */
const inFlightMs = 1_000;

export const crash = scenario('crash: kill -9 in the middle of 2,000 messages', async (stage) => {
  const { world, step, say } = stage;
  const sink = await startSink(world, { replyDelayMs: 20 });
  const server = await startPosthorn(world, {
    dnsPort: await startDns(world),
    accounts: { [alice]: 'secret' },
    relay: { trustedNetworks: ['127.0.0.0/8'] },
    delivery: { relayHost: `127.0.0.1:${sink.port}` },
  });
  const acknowledged = new Set<number>();
  const killedAt: number[] = [];

  await step(
    `${total} messages are sent, each to a mailbox and to the world, through two kills`,
    async () => {
      let next = 0;
      while (next < total) next = await floodUntilKilled(server, next, acknowledged, killedAt);
      equal(killedAt.length, killAt.length);
      ok(acknowledged.size > total - 100, `only ${acknowledged.size} were acknowledged`);
    },
  );

  await step('the queue runs empty', async () => {
    await eventually(
      'an empty queue',
      async () => {
        await server.command(['queue', 'retry', '--all']); // what is in doubt waits for ten minutes
        return (await queueLength(server)) === 0 ? true : undefined;
      },
      50_000,
    );
  });

  await step('every acknowledged message is in the Maildir, and none twice', async () => {
    const numbers = numbersIn(await readMaildir(server.maildir(alice)));
    deepEqual(missing(acknowledged, numbers), []);
    deepEqual(repeated(numbers), new Map());
  });

  await step('every acknowledged message has reached the sink', () => {
    deepEqual(missing(acknowledged, numbersIn(sink.received.map(({ content }) => content))), []);
  });

  await step(
    'what reached the sink twice was in flight when the server was killed, and its dossier says so',
    async () => {
      const twice = [...repeated(numbersIn(sink.received.map(({ content }) => content))).keys()];
      const early = twice.filter((number) => !wasInFlight(sink.received, number, killedAt));
      deepEqual(early, []);
      for (const number of twice.slice(0, 5)) match(await dossier(server, number), /"event": ?"inDoubt"/);
      say(`${acknowledged.size} acknowledged, ${twice.length} reached the sink twice`);
    },
  );
});

/** Sends from `first` on; at its appointed moment the server is killed and started again. Resolves to the first that was not tried. */
async function floodUntilKilled(
  server: Posthorn,
  first: number,
  acknowledged: Set<number>,
  killedAt: number[],
): Promise<number> {
  const target = killAt[killedAt.length];
  let killed: Promise<void> | undefined;
  const next = await flood({
    port: server.port('smtp'),
    first,
    count: total - first,
    connections: 10,
    from: 'sender@example.org',
    to: [alice, 'recipient@example.net'],
    acknowledged: (number) => {
      acknowledged.add(number);
      if (target === undefined || killed !== undefined || acknowledged.size < target) return;
      killedAt.push(performance.now());
      killed = server.kill();
    },
  });
  if (killed !== undefined) {
    await killed;
    await server.start();
  }
  return next;
}

async function queueLength(server: Posthorn): Promise<number> {
  const { stdout } = await server.command(['queue', 'list', '--json']);
  const jobs: unknown = JSON.parse(stdout.toString());
  return Array.isArray(jobs) ? jobs.length : Number.NaN;
}

async function dossier(server: Posthorn, number: number): Promise<string> {
  return (await server.command(['trace', messageId(number), '--json'])).stdout.toString();
}

function wasInFlight(received: readonly Received[], number: number, killedAt: readonly number[]): boolean {
  const first = received.find(({ content }) => numberIn(content) === number);
  return killedAt.some(
    (at) => first !== undefined && first.at > at - inFlightMs && first.at < at + inFlightMs,
  );
}
