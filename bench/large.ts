/**
 * Two hundred letters of 25 MiB at once, each different, in by TLS and AUTH and from a trusted network, out into
 * Maildirs and to another server. What the server's memory grows by, and whether every octet arrives.
 */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type Posthorn, startPosthorn } from '../e2e/peers/posthorn.ts';
import { start } from '../e2e/process.ts';
import { eventually, listening } from '../e2e/wait.ts';
import type { World } from '../e2e/world.ts';
import type { Bench, BenchContext, BenchReport, Target } from './bench.ts';
import { accounts, envelopeOf, numberIn, password } from './large/envelope.ts';
import { createLetters, type Letters } from './large/letters.ts';
import type { SenderOrder } from './large/sender.ts';
import { type Memory, memoryOf, withPeakMemory } from './memory.ts';

const mib = 2 ** 20;
const defaults = { letters: 200, sizeBytes: 25 * mib };
const maxGrowthMib = 150;

/** Sending, and after it delivering, may each take so long. */
const limitMs = 900_000;

export const largeBench: Bench = {
  name: 'large',
  description: '200 concurrent submissions of 25 MiB: growth of memory, and every byte arrives',
  isLarge: true,
  async run(context) {
    const order = {
      letters: context.options.messages ?? defaults.letters,
      sizeBytes: context.options.sizeBytes ?? defaults.sizeBytes,
    };
    const lack = await lackOfRoom(context.world, order);
    if (lack !== undefined) return { rows: [], text: `large: skipped: ${lack}` };
    return report(order, await measure(context, order));
  },
};

type Order = Pick<SenderOrder, 'letters' | 'sizeBytes'>;

/** Each letter lies in the spool, half of them in a Maildir too; a tenth more for everything else. */
async function lackOfRoom(world: World, { letters, sizeBytes }: Order): Promise<string | undefined> {
  const { bavail, bsize } = await statfs(world.path());
  const needed = 1.6 * letters * sizeBytes;
  if (bavail * bsize >= needed) return undefined;
  return `needs ${gib(needed)} GiB free in ${world.path()}, where there are ${gib(bavail * bsize)}; set TMPDIR`;
}

const gib = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);

interface Result {
  idle: Memory;
  peak: Memory;
  acceptedMs: number;
  deliveredMs: number;
  /** Numbers of letters of which there is no copy with the right octets. */
  missing: number[];
}

async function measure({ world, program, log }: BenchContext, order: Order): Promise<Result> {
  const arrived = await startHashingSink(world);
  const server = await startPosthorn(world, {
    program,
    protocols: ['smtp', 'submissions'],
    accounts: Object.fromEntries(accounts.map((account) => [account, password])),
    relay: { trustedNetworks: ['127.0.0.0/8'] },
    delivery: { relayHost: `127.0.0.1:${arrived.port}` },
    limits: { messageBytes: 2 * order.sizeBytes, sessions: order.letters + 100 },
    more: { abuse: { hourlyRecipients: 0 } }, // so much is usual of nobody: it would be held
  });
  const idle = memoryOf(server.pid);
  const startedAt = performance.now();
  const { result, peak } = await withPeakMemory(server.pid, async () => {
    await sendAll(world, server, order);
    const acceptedMs = performance.now() - startedAt;
    log(`large: ${order.letters} letters accepted after ${(acceptedMs / 1000).toFixed(0)} s`);
    await allDelivered(server, arrived, order);
    return { acceptedMs, deliveredMs: performance.now() - startedAt };
  });
  const letters = createLetters(order.sizeBytes);
  const missing = [...(await missingInMaildirs(server, letters, order)), ...arrived.missing(letters, order)];
  return { idle, peak, ...result, missing };
}

async function sendAll(world: World, server: Posthorn, order: Order): Promise<void> {
  const ports = { smtp: server.port('smtp'), submissions: server.port('submissions') };
  const argument: SenderOrder = { ...order, ports };
  const sender = startScript(world, 'sender', JSON.stringify(argument));
  const code = await Promise.race([sender.exited, timeout(limitMs, 'the sender')]);
  if (code !== 0) throw new Error(`the sender of the letters failed; see ${world.path('sender.log')}`);
}

function startScript(world: World, name: 'sender' | 'sink', argument: string) {
  const script = join(import.meta.dirname, 'large', `${name}.ts`);
  const running = start(process.execPath, [script, argument], world.watchLog(world.path(`${name}.log`)));
  world.atEnd(() => running.stop());
  return running;
}

function timeout(ms: number, what: string): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`${what} took more than ${ms / 1000} s`)), ms).unref();
  });
}

interface HashingSink {
  port: number;
  count(): number;
  /** The letters to elsewhere that have not come, or not as they were sent. */
  missing(letters: Letters, order: Order): number[];
}

async function startHashingSink(world: World): Promise<HashingSink> {
  const port = await world.port();
  const running = startScript(world, 'sink', String(port));
  await listening(port);
  const lines = () =>
    running
      .stdout()
      .split('\n')
      .filter((line) => line.startsWith('{'));
  return {
    port,
    count: () => lines().length,
    missing(letters, order) {
      // Lines of our own sink.
      const came = lines().map((line) => JSON.parse(line) as { number?: number; hash: string });
      const hashes = new Map(came.map(({ number, hash }) => [number, hash]));
      return numbers(order, false).filter((number) => hashes.get(number) !== letters.hash(number, 'wire'));
    },
  };
}

/** The letters that stay here, or those that go elsewhere. */
function numbers({ letters }: Order, local: boolean): number[] {
  return [...Array(letters).keys()].filter((number) => envelopeOf(number).local === local);
}

async function allDelivered(server: Posthorn, sink: HashingSink, order: Order): Promise<void> {
  const local = numbers(order, true).length;
  await eventually(
    'the last letter',
    async () =>
      (sink.count() >= order.letters - local && (await newFiles(server)).length >= local) || undefined,
    limitMs,
  );
}

async function newFiles(server: Posthorn): Promise<string[]> {
  const folders = accounts.map((account) => join(server.maildir(account), 'new'));
  const names = await Promise.all(
    folders.map(async (folder) => (await readdir(folder).catch(() => [])).map((name) => join(folder, name))),
  );
  return names.flat();
}

async function missingInMaildirs(server: Posthorn, letters: Letters, order: Order): Promise<number[]> {
  const hashes = new Map<number | undefined, string>();
  for (const file of await newFiles(server)) {
    const { number, hash } = await readStored(file);
    hashes.set(number, hash);
  }
  return numbers(order, true).filter((number) => hashes.get(number) !== letters.hash(number, 'file'));
}

/** Number and body's hash of a letter in a Maildir. Its header section lies in the first piece that is read. */
async function readStored(file: string): Promise<{ number: number | undefined; hash: string }> {
  const hash = createHash('sha256');
  let number: number | undefined;
  let inBody = false;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    // without an encoding it gives Buffers
    const bodyAt = inBody ? 0 : chunk.indexOf('\n\n') + 2;
    if (!inBody) number = numberIn(chunk.subarray(0, bodyAt).toString('latin1'));
    inBody = true;
    hash.update(chunk.subarray(bodyAt));
  }
  return { number, hash: hash.digest('hex') };
}

function report(order: Order, { idle, peak, acceptedMs, deliveredMs, missing }: Result): BenchReport {
  const growth = {
    rss: (peak.rssBytes - idle.rssBytes) / mib,
    pss: (peak.pssBytes - idle.pssBytes) / mib,
  };
  const target: Target = {
    what: 'large: growth of RSS over idle',
    must: `≤ ${maxGrowthMib} MiB`,
    measured: `${growth.rss.toFixed(0)} MiB`,
    met: growth.rss <= maxGrowthMib,
  };
  const arrivals: Target = {
    what: 'large: letters whose every byte arrived',
    must: `${order.letters}`,
    measured: `${order.letters - missing.length}`,
    met: missing.length === 0,
  };
  const row = { bench: 'large', peer: 'idle', sizeBytes: order.sizeBytes, unit: 'MiB' };
  const seconds = (ms: number) => (ms / 1000).toFixed(0);
  return {
    rows: [
      {
        ...row,
        ours: peak.rssBytes / mib,
        theirs: idle.rssBytes / mib,
        ratio: peak.rssBytes / idle.rssBytes,
      },
    ],
    text: [
      `large: ${order.letters} letters of ${(order.sizeBytes / mib).toFixed(0)} MiB at once, half by TLS and AUTH, half from a trusted network; half into Maildirs, half relayed`,
      `  accepted after ${seconds(acceptedMs)} s, delivered after ${seconds(deliveredMs)} s`,
      `  RSS idle ${(idle.rssBytes / mib).toFixed(0)}, peak ${(peak.rssBytes / mib).toFixed(0)}: +${growth.rss.toFixed(0)} MiB`,
      `  PSS idle ${(idle.pssBytes / mib).toFixed(0)}, peak ${(peak.pssBytes / mib).toFixed(0)}: +${growth.pss.toFixed(0)} MiB`,
    ].join('\n'),
    targets: [target, arrivals],
    ...(missing.length > 0 && { failed: [`large: letters missing or changed: ${missing.join(', ')}`] }),
  };
}
