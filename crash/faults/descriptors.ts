/**
 * No file descriptors left. Whoever comes is answered, refused or cut off, but nobody waits for ever; what was
 * acknowledged meanwhile arrives, and when the crowd has gone the server is as it was.
 */

import { deepEqual, match, ok } from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { letter } from '../../e2e/letters.ts';
import { readMaildir } from '../../e2e/maildir.ts';
import { runEmpty } from '../../e2e/peers/control.ts';
import { type Dialogue, deliver, greet, transact } from '../../e2e/peers/dialogue.ts';
import { startDns } from '../../e2e/peers/dns.ts';
import { startPosthorn } from '../../e2e/peers/posthorn.ts';
import { startSink } from '../../e2e/peers/sink.ts';
import { type Scenario, scenario } from '../../e2e/runner.ts';
import { eventually } from '../../e2e/wait.ts';

const alice = 'alice@example.com';
const sender = 'sender@example.org';
const recipient = 'recipient@example.net';

/** Enough for the server to start with all that it needs, and for a few sessions. */
const descriptors = 64;
/** A crowd that takes all of them. */
const crowd = 100;
/** Nobody has to wait for an answer, or for the end, longer than this. */
const patienceMs = 10_000;

export const noDescriptors: Scenario = scenario(
  'no file descriptors left: refused, not lost',
  async ({ world, step }) => {
    const sink = await startSink(world);
    const server = await startPosthorn(world, {
      inside: ['sh', '-c', `ulimit -n ${descriptors} && exec "$@"`, 'sh'],
      dnsPort: await startDns(world),
      accounts: { [alice]: 'secret' },
      protocols: ['smtp'],
      relay: { trustedNetworks: ['127.0.0.0/8'] },
      delivery: { relayHost: `127.0.0.1:${sink.port}` },
    });
    const port = server.port('smtp');
    const acknowledged: string[] = [];
    const send = async (dialogue: Dialogue, id: string, body?: string) => {
      const content = letter({ from: sender, to: alice, id, ...(body !== undefined && { body }) });
      const answer = await transact(dialogue, { from: sender, to: [alice, recipient] }, content);
      if (answer.startsWith('250')) acknowledged.push(id);
      return answer;
    };
    const [small, large] = [await greet(port), await greet(port)];
    const sockets: Socket[] = [];

    await step('a crowd takes all descriptors; who comes then is cut off or refused, soon', async () => {
      for (let count = 0; count < crowd; count += 1) sockets.push(connect(port, '127.0.0.1'));
      const fates = await Promise.all(sockets.map(fateOf));
      ok(
        fates.includes('cut off'),
        `all were greeted: ${descriptors} descriptors are too many for this test`,
      );
      ok(!fates.includes('kept waiting'), fates.join(', '));
      const inUse = (await readdir(`/proc/${server.pid}/fd`)).length;
      ok(inUse >= descriptors - 2, `${inUse} descriptors in use`);
    });

    await step('who was there before is answered: with 250, or with 451 where a file is needed', async () => {
      match(await send(small, 'meanwhile;'), /^250/);
      match(await send(large, 'meanwhile-large;', 'A long line.\r\n'.repeat(20_000)), /^(250|451)/);
    });

    await step('when the crowd has gone, mail is taken and delivered again', async () => {
      for (const socket of sockets) socket.destroy();
      await eventually('a greeting', () =>
        greet(port).then(
          (dialogue) => dialogue.close() ?? true,
          () => undefined,
        ),
      );
      const content = letter({ from: sender, to: alice, id: 'afterwards;' });
      match(await deliver(port, { from: sender, to: [alice, recipient] }, content), /^250/);
      acknowledged.push('afterwards;');
    });

    await step('everything that was acknowledged is in the Maildir and at the sink, once', async () => {
      await runEmpty(server);
      const there = [await readMaildir(server.maildir(alice)), sink.received.map(({ content }) => content)];
      for (const id of acknowledged)
        deepEqual(
          there.map((messages) => messages.filter((each) => each.includes(id)).length),
          [1, 1],
          id,
        );
    });
  },
);

type Fate = 'greeted' | 'cut off' | 'kept waiting';

function fateOf(socket: Socket): Promise<Fate> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('kept waiting'), patienceMs);
    const settle = (fate: Fate) => {
      clearTimeout(timer);
      resolve(fate);
    };
    socket.once('data', (greeting: Buffer) =>
      settle(greeting.toString().startsWith('220') ? 'greeted' : 'cut off'),
    );
    socket.on('error', () => settle('cut off'));
    socket.once('close', () => settle('cut off'));
  });
}
