/**
 * smtp-source → server → Maildirs of many users on this machine. Ours syncs each file and its directory before it calls
 * a message delivered; Postfix's virtual(8) syncs the file.
 */

import { writeFile } from 'node:fs/promises';
import { startPostfix } from '../e2e/peers/postfix.ts';
import { type Mailboxes, mailboxes, startCountingSink } from './arrivals.ts';
import type { Bench, BenchContext, BenchReport } from './bench.ts';
import { contestTable, deliveredRate, descriptions, rateRows } from './comparison.ts';
import { type Contestant, playContest } from './contest.ts';
import { spreadLoad } from './load.ts';
import { skipLine } from './peers/peers.ts';
import { describePostfix, requirePostfix, tunedPostfix, tuning } from './peers/postfix.ts';
import { ourDescription, startBuilt } from './peers/posthorn.ts';
import { directRelay } from './relay-contestant.ts';
import { settingsFor } from './settings.ts';
import { atLeast } from './targets.ts';

export const localBench: Bench = {
  name: 'local',
  description: 'delivered 1 KiB into Maildirs of 100 users, synced',
  run: benchLocal,
};

const userCount = 100;

async function benchLocal(context: BenchContext): Promise<BenchReport> {
  const { options } = context;
  const settings = settingsFor(options, { messages: 15_000, isOnly: true });
  const { messages, sizeBytes, sessions } = settings;
  const sink = await startCountingSink(context.world);
  const users = Array.from({ length: userCount }, (_, number) => `user${number}@example.com`);
  const load = { sizeBytes, sessions, connections: 'reused' } as const;
  const spread = (port: number) => (count: number) => spreadLoad(port, { ...load, messages: count }, users);
  const servers = (await startServers(context, users)).map(
    ({ port, arrivals, ...rest }): Contestant => ({
      ...rest,
      arrivals,
      send: spread(port),
      tidyUp: () => arrivals.empty(),
    }),
  );
  const direct = { ...directRelay(sink), arrivals: sink, send: spread(sink.port) };
  const played = await playContest([...servers, direct], settings, context.log);
  const limit = played.pop();
  const [ours = 0, theirs] = played.map(deliveredRate);
  const title = `local: ${messages} messages of ${sizeBytes} octets to ${userCount} users, ${sessions} sessions`;
  return {
    rows: rateRows('local', sizeBytes, played),
    text: `${contestTable(title, played, limit)}\n${descriptions(played)}`,
    targets:
      theirs === undefined
        ? []
        : [atLeast('local, of tuned Postfix', ours / theirs, { must: 3, aim: 5, unit: ' ×' })],
  };
}

interface LocalServer extends Omit<Contestant, 'send' | 'tidyUp'> {
  port: number;
  arrivals: Mailboxes;
}

async function startServers(context: BenchContext, users: readonly string[]): Promise<LocalServer[]> {
  const ours = await startOurs(context, users);
  try {
    return [ours, await startTheirs(context, users)];
  } catch (error) {
    context.log(skipLine(tunedPostfix, error));
    return [ours];
  }
}

async function startOurs(context: BenchContext, users: readonly string[]): Promise<LocalServer> {
  const server = await startBuilt(context);
  const file = context.world.path('accounts.csv');
  await writeFile(file, users.map((user) => `${user},a secret of ${user}\n`).join(''));
  const { code, output } = await server.command(['account', 'import', file]);
  if (code !== 0) throw new Error(`account import failed:\n${output}`);
  return {
    name: 'posthorn',
    description: `${ourDescription}; file and directory synced`,
    pid: server.pid,
    port: server.port('smtp'),
    arrivals: mailboxes(users.map(server.maildir)),
  };
}

async function startTheirs({ world }: BenchContext, users: readonly string[]): Promise<LocalServer> {
  await requirePostfix();
  const server = await startPostfix(world, { parameters: tuning, mailboxes: users });
  return {
    name: tunedPostfix.name,
    description: `${await describePostfix(tuning)}; virtual(8): file synced`,
    pid: server.pid,
    port: server.port,
    arrivals: mailboxes(users.map(server.maildir)),
  };
}
