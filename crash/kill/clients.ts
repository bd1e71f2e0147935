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

/** Numbers that a flood may use in one round: more than it comes to. */
const mostOf = { small: 400, medium: 100, large: 40 } as const;

/** Starts all; resolves when the last one has stopped. */
export async function pour(stage: Stage): Promise<void> {
  await Promise.all([
    pourFlood(stage, { size: 'small', connections: 8, to: [alice, outsider] }),
    pourFlood(stage, { size: 'medium', connections: 2, to: [bob] }),
    pourFlood(stage, { size: 'large', connections: 2, to: [alice, outsider] }),
    submit(stage, take(stage, 'small', 1)),
    fetchAndDelete(stage),
  ]);
}

/** The first of so many numbers that nobody else uses. */
function take({ next }: Stage, size: Size, count: number): number {
  next[size] += count;
  return next[size] - count;
}

async function pourFlood(
  stage: Stage,
  { size, connections, to }: { size: Size; connections: number; to: readonly string[] },
): Promise<void> {
  const { server, ledger } = stage;
  await flood({
    port: server.port('smtp'),
    first: take(stage, size, mostOf[size]),
    count: mostOf[size],
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
  const { stdout } = await run(
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
}

/** One POP3 session of bob's; true where it came to its end. */
export async function fetchAndDelete({ world, server, fetched }: Stage): Promise<boolean> {
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
