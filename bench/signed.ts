/**
 * Relay of mail that we sign with DKIM, RSA-2048: against the same without a key, and against what the signatures alone
 * must cost. Both are work for the same processors, so that their times add: 1 / (1/unsigned + 1/signatures).
 */

import { join } from 'node:path';
import { deliver } from '../e2e/peers/dialogue.ts';
import type { Posthorn, PosthornOptions } from '../e2e/peers/posthorn.ts';
import { runOk } from '../e2e/process.ts';
import { startCountingSink } from './arrivals.ts';
import type { Bench, BenchContext, BenchReport } from './bench.ts';
import { contestTable, deliveredRate, descriptions } from './comparison.ts';
import { type Contestant, type Played, playContest } from './contest.ts';
import { ourDescription, startBuilt } from './peers/posthorn.ts';
import type { Relay } from './peers/relay.ts';
import { relayContestant } from './relay-contestant.ts';
import { settingsFor } from './settings.ts';
import { type Summary, showSummary, summarize } from './statistics.ts';
import { atLeast } from './targets.ts';

export const signedBench: Bench = {
  name: 'signed',
  description: 'relay 1 KiB with DKIM signing on, against what signing must cost',
  run: benchSigned,
};

const domain = 'example.com';
const selector = 'bench';
const mail = { connections: 'reused', sender: `sender@${domain}` } as const;

async function benchSigned(context: BenchContext): Promise<BenchReport> {
  const settings = settingsFor(context.options, { messages: 8_000 });
  const { messages, sizeBytes, sessions } = settings;
  const sink = await startCountingSink(context.world);
  const delivery = { relayHost: `127.0.0.1:${sink.port}` };
  const signing = await startSigning(context, { delivery });
  const plain = await startBuilt(context, { delivery });
  const raw: number[] = [];
  const field: Contestant[] = [
    relayContestant(relayOf('posthorn-signing', signing), sink, { sizeBytes, sessions, ...mail }),
    {
      ...relayContestant(relayOf('posthorn', plain), sink, { sizeBytes, sessions, ...mail }),
      tidyUp: async () => void raw.push(await rawSigning()),
    },
  ];
  const played = await playContest(field, settings, context.log);
  const title = `signed: ${messages} messages of ${sizeBytes} octets, ${sessions} sessions, RSA-2048`;
  return report(title, { sizeBytes, played, raw: summarize(raw) });
}

interface Result {
  sizeBytes: number;
  /** With a key, and without. */
  played: readonly Played[];
  /** Signatures per second, one figure for each round. */
  raw: Summary;
}

function report(title: string, { sizeBytes, played, raw }: Result): BenchReport {
  const [signed = 0, unsigned = 0] = played.map(deliveredRate);
  const possible = combinedRate(unsigned, raw.median);
  const figures = { unit: 'msg/s', ours: signed, theirs: possible, ratio: signed / possible };
  const asked = { must: 80, aim: 95, unit: ' %' };
  return {
    rows: [{ bench: 'signed', peer: 'possible rate', sizeBytes, ...figures }],
    text: [
      contestTable(title, played),
      `  signatures alone, in the thread pool: ${showSummary(raw)} per second`,
      `  possible: 1/(1/${unsigned.toFixed(0)} + 1/${raw.median.toFixed(0)}) = ${possible.toFixed(0)} msg/s`,
      descriptions(played),
    ].join('\n'),
    targets: [atLeast('signed, of the possible rate', (100 * signed) / possible, asked)],
  };
}

/** The rate of two kinds of work done one after the other for each message. */
export const combinedRate = (one: number, other: number): number => 1 / (1 / one + 1 / other);

const relayOf = (name: string, server: Posthorn): Relay => ({
  name,
  port: server.port('smtp'),
  pid: server.pid,
  description: ourDescription,
});

/** A server with a key for the sender's domain. Rejects if it does not sign: no figure would be worth anything then. */
async function startSigning(context: BenchContext, options: PosthornOptions): Promise<Posthorn> {
  const key = context.world.path('dkim.pem');
  const flags = ['--selector', selector, '--type', 'rsa', '--out', key];
  await runOk(context.program, ['dkim', 'generate', domain, ...flags]);
  const domains = [{ name: domain, dkim: { selector, key } }];
  const server = await startBuilt(context, { ...options, name: 'posthorn-signing', domains });
  if (!(await isSigning(server))) throw new Error('the server did not sign');
  return server;
}

/** Hands one message in, and asks its dossier. */
async function isSigning(server: Posthorn): Promise<boolean> {
  const content = Buffer.from(`From: <${mail.sender}>\r\nSubject: is this signed?\r\n\r\nYes.\r\n`);
  const envelope = { from: mail.sender, to: ['recipient@example.net'] };
  const reply = await deliver(server.port('smtp'), envelope, content);
  const queueId = /Queued as (\S+)/.exec(reply)?.[1] ?? '';
  const { output } = await server.command(['trace', queueId, '--json']);
  return /"event": ?"signed"/.test(output);
}

const rawSeconds = 2;

async function rawSigning(): Promise<number> {
  const script = join(import.meta.dirname, 'raw-signing.ts');
  const env = { UV_THREADPOOL_SIZE: '16' };
  const { stdout } = await runOk(process.execPath, [script, String(rawSeconds)], { env });
  return Number(stdout.toString());
}
