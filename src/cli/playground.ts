/**
 * The playground: two mail servers with their DNS in this process, a letter that travels between them over real sockets,
 * and its whole road told. The only command that uses src/testing/, which knows how to make a small internet.
 */

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Protocol } from '../config/listeners.ts';
import type { ZoneData } from '../dns/zone-data.ts';
import type { RecipientSummary } from '../dossier/summary.ts';
import { compose } from '../mail/compose.ts';
import { replyText } from '../smtp/reply.ts';
import { startWorld, type World } from '../testing/world.ts';
import type { WorldServer } from '../testing/world-server.ts';
import { CommandError } from './errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { type Playground, type PlaygroundServer, tellWhatToTry } from './playground-commands.ts';
import { Page } from './playground-page.ts';
import {
  tellAnswer,
  tellLetter,
  tellReading,
  tellReceiving,
  tellSending,
  tellStage,
} from './playground-story.ts';
import type { Terminal } from './terminal.ts';

export interface PlaygroundOptions {
  /** End when the letter has arrived. */
  once: boolean;
  terminal: Terminal;
  /** Where one is taken, a free one takes its place. */
  ports?: WantedPorts;
  /** DNS records in place of the right ones: for something to go wrong. */
  dns?: ZoneData;
}

type WantedPorts = Record<'com' | 'net', Partial<Record<Protocol, number>>> & { dns?: number };

const sender = { account: 'sender@example.com', password: 'stamped-and-sealed' };
const recipient = { account: 'recipient@example.net', password: 'look-in-the-letterbox' };

/** Easy to remember. */
const memorablePorts: WantedPorts = {
  com: { smtp: 2525, submission: 2587, submissions: 2465, pop3: 2110, pop3s: 2995 },
  net: { smtp: 3525, submission: 3587, submissions: 3465, pop3: 3110, pop3s: 3995 },
  dns: 2553,
};

/** A road of half a second; whoever has waited for this long wants to hear why. */
const patienceMs = 10_000;

type TwoServers = World<'example.com' | 'example.net'>;

/** Rejects with a CommandError that says why the letter did not arrive. */
export async function runPlayground(options: PlaygroundOptions): Promise<ExitCode> {
  const { terminal } = options;
  const stop = terminal.stopSignal();
  const page = new Page(terminal);
  await using world = await startTwoServers(options);
  const arrival = letterArrives(world, page).then(() => 'arrived' as const);
  const outcome = await Promise.race([arrival, aborted(stop)]);
  if (options.once) return outcome === 'arrived' ? exitCodes.ok : exitCodes.tryLater;
  if (outcome === 'stopped') return exitCodes.ok;
  tellWhatToTry(page, describe(world, terminal));
  await aborted(stop);
  page.say('Both servers are stopped.');
  return exitCodes.ok;
}

function startTwoServers({ ports = memorablePorts, dns = {} }: PlaygroundOptions): Promise<TwoServers> {
  return startWorld({
    servers: {
      'example.com': { accounts: { [sender.account]: sender.password }, ports: ports.com },
      'example.net': { accounts: { [recipient.account]: recipient.password }, ports: ports.net },
    },
    dns,
    dnsTtl: 300,
    ...(ports.dns === undefined ? {} : { dnsPort: ports.dns }),
  });
}

async function aborted(signal: AbortSignal): Promise<'stopped'> {
  if (!signal.aborted) await once(signal, 'abort');
  return 'stopped';
}

/** The tour, within the time that it may take. */
async function letterArrives(world: TwoServers, page: Page): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`nothing came of it within ${patienceMs / 1000} seconds`)),
    patienceMs,
  );
  try {
    await Promise.race([giveTour(world, page), late.promise]);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const logs = await lastWords(Object.values(world.servers));
    throw new CommandError(exitCodes.refused, `the letter did not arrive: ${reason}\n${logs}`);
  } finally {
    clearTimeout(timer);
  }
}

/** Sends the letter, and tells of every step as soon as it is done. */
async function giveTour({ servers, dns }: TwoServers, page: Page): Promise<void> {
  const { 'example.com': com, 'example.net': net } = servers;
  tellStage(page, dns);
  const { letter, messageId } = await writeLetter();
  tellLetter(page, letter, com.endpoint('submission'));
  const startedAt = performance.now();
  const queueId = await submit(com, letter);
  const [outcome] = await com.settled(queueId);
  tellSending(page, await com.trace(queueId));
  if (outcome?.state !== 'delivered') throw new Error(whyNot(outcome));

  const { data } = await net.event(messageId, 'delivered');
  tellReceiving(page, await net.trace(messageId));
  if (data.folder !== 'Inbox') throw new Error(`it was put into the folder ${data.folder}`);

  const { messages, ...reading } = await net.fetch(recipient.account);
  const message = messages.find((each) => each.includes(messageId));
  if (message === undefined) throw new Error('POP3 does not find it in the inbox');
  tellReading(page, net.endpoint('pop3s'), { ...reading, message });
  tellAnswer(page, Math.round(performance.now() - startedAt));
}

/** Whose question the tour answers. */
async function writeLetter(): Promise<{ letter: Buffer; messageId: string }> {
  const messageId = `<${randomUUID()}@example.com>`;
  const { content } = await compose({
    from: sender.account,
    to: [recipient.account],
    subject: 'This is a sendable email',
    text: 'Hi there,\nDid it hit the Spam folder?\n',
    date: Date.now(),
    messageId,
  });
  return { letter: content, messageId };
}

/** Resolves to the name that the server gave it. */
async function submit(com: WorldServer, content: Buffer): Promise<string> {
  const { replies, queueId } = await com.submit({
    from: sender.account,
    to: recipient.account,
    content,
    smtputf8: true, // as the article's letter
  });
  if (queueId !== undefined) return queueId;
  throw new Error(`${com.config.hostname} refused it: ${[...replies.values()].map(replyText).join(', ')}`);
}

function whyNot(outcome: RecipientSummary | undefined): string {
  const decision = outcome?.decidedBy;
  if (decision?.event === 'failed') return decision.data.reason;
  if (decision?.event === 'deferred') return `${decision.data.reason} (the server would try again later)`;
  return 'the server says nothing of its recipient';
}

/** The end of each server's log. */
async function lastWords(servers: readonly WorldServer[]): Promise<string> {
  const logs = servers.map(async ({ config, logFile }) => {
    const lines = (await readFile(logFile, 'utf8')).trimEnd().split('\n').slice(-5);
    return [`log of ${config.hostname}:`, ...lines].join('\n');
  });
  return (await Promise.all(logs)).join('\n');
}

function describe({ directory, dns, servers }: TwoServers, { cwd, env }: Terminal): Playground {
  const bin = fileURLToPath(new URL('../../bin/posthorn', import.meta.url));
  // npm changes to the package's directory; the person is where npm was called.
  const fromHere = relative(env.INIT_CWD ?? cwd, bin);
  return {
    directory,
    authorityFile: join(directory, 'ca.pem'),
    dns,
    com: { ...sender, ...describeServer(servers['example.com']) },
    net: { ...recipient, ...describeServer(servers['example.net']) },
    program: fromHere.startsWith('..') ? bin : fromHere,
  };
}

function describeServer(server: WorldServer): Omit<PlaygroundServer, 'account' | 'password'> {
  const { config, logFile } = server;
  const ports = {
    smtp: server.endpoint('smtp').port,
    submission: server.endpoint('submission').port,
    submissions: server.endpoint('submissions').port,
    pop3: server.endpoint('pop3').port,
    pop3s: server.endpoint('pop3s').port,
  };
  return { hostname: config.hostname, configFile: config.file, logFile, ports };
}
