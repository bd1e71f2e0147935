/**
 * SMTP smuggling over several servers: what we accept, Postfix and Exim read as one message when we send it on, and
 * what they send to us we read as one. An end of data is believed by all of them or by none.
 */

import { equal, ok } from 'node:assert/strict';
import { exim } from '../../bench/peers/exim.ts';
import { readMaildir } from '../maildir.ts';
import { greet } from '../peers/dialogue.ts';
import { startDns } from '../peers/dns.ts';
import { startPostfix } from '../peers/postfix.ts';
import { type Posthorn, startPosthorn } from '../peers/posthorn.ts';
import { type Sink, startSink } from '../peers/sink.ts';
import { scenario } from '../runner.ts';
import { eventually } from '../wait.ts';
import type { World } from '../world.ts';
import { falseEnds } from './smuggling.ts';

const alice = 'alice@example.com';
const outsider = 'sender@example.org';

interface Relay {
  name: string;
  /** Passes on what it takes to the port. */
  start(world: World, port: number): Promise<{ port: number }>;
}

const relays: readonly Relay[] = [
  {
    name: 'Postfix',
    start: (world, port) =>
      startPostfix(world, {
        name: `postfix-to-${port}`,
        parameters: { relayhost: `[127.0.0.1]:${port}`, smtpd_error_sleep_time: '0' },
      }),
  },
  { name: 'Exim', start: (world, port) => exim.start(world, port) },
];

export const smugglingRelays = scenario(
  'smuggling: between us and a Postfix or an Exim one message stays one',
  async ({ world, step }) => {
    const dnsPort = await startDns(world);
    for (const relay of relays) {
      await step(`what we take and send on, ${relay.name} reads as one`, async () => {
        const sink = await startSink(world);
        const { port } = await relay.start(world, sink.port);
        const server = await startPosthorn(world, {
          name: `before-${relay.name}`,
          dnsPort,
          protocols: ['smtp'],
          relay: { trustedNetworks: ['127.0.0.0/8'] },
          delivery: { relayHost: `127.0.0.1:${port}` },
        });
        const sent = await attackByAll(server.port('smtp'), 'ann@example.net');
        ok(sent > 0, 'nothing was accepted: then nothing is shown');
        await eventually('all of it', () => sink.received.length >= sent || undefined);
        await arrivesLast(server.port('smtp'), sink);
        equal(sink.received.length, sent + 1);
        for (const { reversePath, content } of sink.received) {
          equal(reversePath, outsider);
          ok(!/^Subject: smuggled/.test(content.toString('latin1')));
        }
      });
    }

    for (const relay of relays) {
      await step(`what a ${relay.name} sends, we read as one`, async () => {
        const server = await startPosthorn(world, {
          name: `behind-${relay.name}`,
          dnsPort,
          protocols: ['smtp'],
          accounts: { [alice]: 'secret' },
          relay: { trustedNetworks: ['127.0.0.0/8'] },
        });
        const { port } = await relay.start(world, server.port('smtp'));
        const taken = await attackByAll(port, alice);
        ok(taken > 0, 'nothing was accepted: then nothing is shown');
        equal(await attack(port, alice, '\r\n', 'the last one'), 1);
        const letters = await eventually('all of it', () => lettersOf(server, taken + 1));
        equal(letters.length, taken + 1);
      });
    }
  },
);

/** All that came, once the last one is there. */
async function lettersOf(server: Posthorn, least: number): Promise<Buffer[] | undefined> {
  const letters = await readMaildir(server.maildir(alice));
  return letters.length >= least && letters.some((each) => each.includes('Subject: the last one'))
    ? letters
    : undefined;
}

/** A message behind the others: whatever they were taken for is there by then. */
async function arrivesLast(port: number, sink: Sink): Promise<void> {
  equal(await attack(port, 'ann@example.net', '\r\n', 'the last one'), 1);
  await eventually('the last one', () =>
    sink.received.find(({ content }) => content.includes('Subject: the last one')),
  );
}

/** Every false end, each over a connection of its own. */
async function attackByAll(port: number, recipient: string): Promise<number> {
  const counts = await Promise.all(falseEnds.map((end) => attack(port, recipient, end)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Resolves to how many messages the server says that it has taken. */
async function attack(port: number, recipient: string, end: string, subject = 'outer'): Promise<number> {
  const smuggled = `MAIL FROM:<admin@example.com>\r\nRCPT TO:<${recipient}>\r\nDATA\r\nSubject: smuggled\r\n\r\nsmuggled\r\n.\r\n`;
  const dialogue = await greet(port);
  await dialogue.say(`MAIL FROM:<${outsider}>`);
  await dialogue.say(`RCPT TO:<${recipient}>`);
  await dialogue.say('DATA');
  await dialogue.send(`From: <${outsider}>\r\nSubject: ${subject}\r\n\r\nouter${end}${smuggled}QUIT\r\n`);
  const replies = (await dialogue.rest()).split('\r\n');
  return replies.filter((reply) => /^250 .*(?:queued as|OK id=)/i.test(reply)).length;
}
