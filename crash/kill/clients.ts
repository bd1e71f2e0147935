/**
 * The load of one round: floods by hand, swaks as a person's mail program, mpop as the reader who fetches and deletes.
 * Everybody stops when the server is gone; what was acknowledged until then is in the books.
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { flood, numbered } from '../../e2e/peers/flood.ts';
import { run } from '../../e2e/process.ts';
import { bodyOf } from './letters.ts';
import { alice, bob, outsider, password, type Size, type Stage } from './stage.ts';

/** Numbers that a flood may use in one round: more than it comes to before the kill. */
const mostOf = { small: 400, medium: 100, large: 40 } as const;
/** And in a round without one. */
const fewOf = { small: 16, medium: 4, large: 4 } as const;

/** Starts all; resolves when the last one has stopped. */
export async function pour(stage: Stage, counts: Readonly<Record<Size, number>> = mostOf): Promise<void> {
  await Promise.all([
    pourFlood(stage, { size: 'small', count: counts.small, connections: 8, to: [alice, outsider] }),
    pourFlood(stage, { size: 'medium', count: counts.medium, connections: 2, to: [bob] }),
    pourFlood(stage, { size: 'large', count: counts.large, connections: 2, to: [alice, outsider] }),
    submit(stage, take(stage, 'small', 1)),
    fetchAndDelete(stage),
  ]);
}

/**
 * A round in which nobody is killed: all of it must be acknowledged, or somebody here no longer knows what an acknowledgement
 * looks like. Resolves to how many messages were not, of so many.
 */
export async function pourWhole(stage: Stage): Promise<{ sent: number; unacknowledged: number }> {
  const before = stage.ledger.acknowledged;
  await pour(stage, fewOf);
  const sent = fewOf.small + fewOf.medium + fewOf.large + 1;
  return { sent, unacknowledged: sent - (stage.ledger.acknowledged - before) };
}

/** The first of so many numbers that nobody else uses. */
function take({ next }: Stage, size: Size, count: number): number {
  next[size] += count;
  return next[size] - count;
}

async function pourFlood(
  stage: Stage,
  { size, count, connections, to }: { size: Size; count: number; connections: number; to: readonly string[] },
): Promise<void> {
  const { server, ledger } = stage;
  await flood({
    port: server.port('smtp'),
    first: take(stage, size, count),
    count,
    connections,
    from: 'sender@example.org',
    to,
    body: bodyOf,
    acknowledged: (number) => ledger.acknowledge(number, to),
  });
}

/** By authenticated submission over STARTTLS. */
async function submit({ server, ledger }: Stage, number: number): Promise<void> {
  const to = [bob, outsider];
  const { code, stdout } = await run(
    'swaks',
    [
      ...['--server', '127.0.0.1', '--port', String(server.port('submission')), '--tls'],
      ...['--auth', 'PLAIN', '--auth-user', alice, '--auth-password', password],
      ...['--from', alice, '--to', to.join(','), '--data', '-', '--timeout', '20'],
    ],
    // swaks ends the text with a line end of its own.
    { input: numbered({ number, from: alice, to, body: bodyOf(number) }).trimEnd() },
  );
  // The line after the final dot is the answer to it; `~` marks what goes over TLS.
  if (/^ ~> \.\n<~ {2}250 /m.test(stdout.toString())) ledger.acknowledge(number, to);
  else if (code === 0) throw new Error(`swaks says that it was done, and does not show a 250:\n${stdout}`);
}

/** One POP3 session of bob's; true where it came to its end. */
export async function fetchAndDelete({ world, server, nextFetched }: Stage): Promise<boolean> {
  const fetched = nextFetched();
  for (const folder of ['new', 'cur', 'tmp']) await mkdir(join(fetched, folder), { recursive: true });
  const { caFile } = await world.authority();
  const config = world.path('mpoprc');
  const lines = [
    'account default',
    `host localhost\nport ${server.port('pop3s')}`,
    `tls on\ntls_starttls off\ntls_trust_file ${caFile}`,
    `user ${bob}\npassword "${password}"`,
    'keep off\nreceived_header off',
    `uidls_file ${world.path('mpop-uidls')}`,
    `delivery maildir ${fetched}`,
  ];
  await writeFile(config, `${lines.join('\n')}\n`, { mode: 0o600 });
  const { code } = await run('mpop', [`--file=${config}`]);
  return code === 0;
}
