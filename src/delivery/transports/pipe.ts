/**
 * Final delivery by a program: the message on its standard input, as it would lie in a Maildir (Return-Path and
 * Delivered-To in front, LF line ends), one run for each recipient. Its exit code is the outcome, what it says the reason.
 */

import type { PipeTransport } from '../../config/transport.ts';
import type { DossierEvent } from '../../dossier/event.ts';
import { printable } from '../../dossier/printable.ts';
import type { ProgramEnd, ProgramRun } from '../../net/program.ts';
import type { JobRow } from '../../store/job.ts';
import { crlfToLf } from '../../store/line-ends.ts';
import type { MessageRow } from '../../store/message.ts';
import { octetsOf } from '../../store/octets.ts';
import type { Clock } from '../../util/clock.ts';
import type { Turnstile } from '../../util/turnstile.ts';
import { finalFields } from '../final-fields.ts';
import type { Attempt, Outcome } from '../outcome.ts';
import { copyTrouble } from '../own-copy.ts';
import { exitMeaning } from './exit-codes.ts';
import { pipeCommand } from './pipe-arguments.ts';

export interface PipeParts {
  way: PipeTransport;
  /** Lets `concurrency` of the transport in. */
  turns: Turnstile;
  run(run: ProgramRun): Promise<ProgramEnd>;
  clock: Clock;
}

/** Characters of what the program says that become part of the reason. */
const maxReasonLength = 2000;

/** Every recipient on its own. */
export async function deliverByPipe(
  parts: PipeParts,
  message: MessageRow,
  jobs: readonly JobRow[],
  signal: AbortSignal,
): Promise<Attempt> {
  const tried = await Promise.all(jobs.map((job) => deliverInTurn(parts, message, job, signal)));
  return {
    outcomes: tried.map(({ outcome }) => outcome),
    events: tried.flatMap(({ event }) => (event ? [event] : [])),
  };
}

interface Tried {
  outcome: Outcome;
  event?: DossierEvent;
}

async function deliverInTurn(
  parts: PipeParts,
  message: MessageRow,
  job: JobRow,
  signal: AbortSignal,
): Promise<Tried> {
  const made = pipeCommand(parts.way.command, message, job);
  if ('problem' in made) return { outcome: notHandedOver(made.problem) };
  try {
    await parts.turns.enter(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    return { outcome: stopped };
  }
  try {
    return await runFor(parts, { message, job, command: made.command }, signal);
  } finally {
    parts.turns.leave();
  }
}

async function runFor(
  { way, run, clock }: PipeParts,
  { message, job, command }: { message: MessageRow; job: JobRow; command: readonly string[] },
  signal: AbortSignal,
): Promise<Tried> {
  const at = clock.now();
  const input = withLf(octetsOf([finalFields(message, job), message.prefix], message.content));
  const ended = await run({ command, input, timeoutMs: way.timeoutMs, clock, signal });
  return {
    outcome: outcomeOf(ended, command, way.timeoutMs),
    event: {
      at,
      queueId: message.queueId,
      recipient: job.recipient,
      event: 'ran',
      data: { command: [...command], end: endText(ended, way.timeoutMs), durationMs: clock.now() - at },
    },
  };
}

const phase = 'running the command';

function outcomeOf(ended: ProgramEnd, command: readonly string[], timeoutMs: number): Outcome {
  switch (ended.kind) {
    case 'exited':
      return ofExit(ended.code, ended.output, command);
    case 'timeout':
    case 'aborted': {
      const rule = 'nobody knows how far it came: it may have been delivered, and is tried again';
      const status = ended.kind === 'timeout' ? '4.4.7' : '4.3.2';
      return { kind: 'inDoubt', status, phase, reason: said(endText(ended, timeoutMs), ended.output), rule };
    }
    case 'killed':
      return deferred('4.3.0', said(endText(ended, timeoutMs), ended.output), brokenRule);
    case 'notStarted':
      return { ...deferred('4.3.5', endText(ended, timeoutMs), brokenRule), phase: 'starting the command' };
    case 'badInput':
      return { kind: 'deferred', phase, reason: ended.error.message, ...copyTrouble(ended.error) };
  }
}

const brokenRule = 'the command is ours to mend: tried again later';

function ofExit(code: number, output: string, [program = '']: readonly string[]): Outcome {
  const { kind, status, words } = exitMeaning(code);
  if (kind === 'delivered') return { kind, program };
  const reason = said(`${program} exited with ${code}: ${words}`, output);
  return kind === 'failed'
    ? { kind, status, phase, reason, rule: `exit code ${code}: given up` }
    : { kind, status, phase, reason, rule: `exit code ${code}: try again later` };
}

function deferred(status: string, reason: string, rule: string): Outcome & { kind: 'deferred' } {
  return { kind: 'deferred', status, phase, reason, rule };
}

function endText(ended: ProgramEnd, timeoutMs: number): string {
  switch (ended.kind) {
    case 'exited':
      return `exit code ${ended.code}: ${exitMeaning(ended.code).words}`;
    case 'timeout':
      return `not done within ${timeoutMs / 1000} s, and ended by us`;
    case 'aborted':
      return 'ended by us, since this server stops';
    case 'killed':
      return `ended by ${ended.by}`;
    case 'notStarted':
      return `it cannot be started: ${ended.error.message}`;
    case 'badInput':
      return `our copy of the message cannot be read: ${ended.error.message}`;
  }
}

/** On one line: it goes into logs, lists and reports. */
function said(what: string, output: string): string {
  const line = printable(
    output
      .trim()
      .split(/\s*\r?\n\s*/)
      .join(' / '),
  ).slice(0, maxReasonLength);
  return line === '' ? what : `${what}; it said: ${line}`;
}

const notHandedOver = (problem: string): Outcome => ({
  kind: 'failed',
  status: '5.1.3',
  phase: 'writing the command',
  reason: problem,
  rule: 'no address becomes an option of a command: given up',
});

const stopped: Outcome = {
  kind: 'deferred',
  status: '4.3.2',
  phase: 'waiting for a turn',
  reason: 'this server stops',
  rule: 'not tried: later again',
};

async function* withLf(content: Iterable<Buffer> | AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const shortener = crlfToLf();
  for await (const chunk of content) {
    const target = Buffer.allocUnsafe(chunk.length + 1);
    yield target.subarray(0, shortener.convert(chunk, target, 0));
  }
  const rest = Buffer.allocUnsafe(1);
  yield rest.subarray(0, shortener.end(rest, 0));
}
