import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { ProgramEnd, ProgramRun } from '../../net/program.ts';
import { runProgram } from '../../net/program.ts';
import type { JobRow } from '../../store/job.ts';
import type { MessageRow } from '../../store/message.ts';
import { sampleJob } from '../../testing/store.ts';
import { systemClock } from '../../util/clock.ts';
import { turnstile } from '../../util/turnstile.ts';
import { deliverByPipe, type PipeParts } from './pipe.ts';

const directory = mkdtempSync(join(tmpdir(), 'posthorn-pipe-'));
afterAll(() => rmSync(directory, { recursive: true }));

const prefix = Buffer.from('Received: by mx.example.com\r\n');
const bytes = Buffer.from('Subject: hello\r\n\r\n.dot\r\nbare \r and end\r\n');
const message: MessageRow = {
  queueId: '0123456789ABCD',
  acceptedAt: 0,
  reversePath: 'a@example.com',
  prefix,
  content: { kind: 'inline', bytes },
  sizeBytes: prefix.length + bytes.length,
  eightBit: false,
  smtputf8: false,
  failuresTo: 'sender',
};

const to = (recipient: string, number = 0): JobRow =>
  sampleJob(message.queueId, { recipient, number, kind: 'remote', destination: 'example.net' });

const never = new AbortController().signal;

function parts(command: string[], more: Partial<PipeParts> = {}): PipeParts {
  return {
    way: { protocol: 'pipe', command, timeoutMs: 10_000, concurrency: 2 },
    turns: turnstile(2),
    run: runProgram,
    clock: systemClock,
    ...more,
  };
}

/** What comes of one recipient where the program ends like this. */
async function outcomeOf(ended: ProgramEnd, recipient = 'bob@example.net', command = ['/bin/x']) {
  const run = async ({ input }: ProgramRun) => {
    for await (const chunk of input) expect(chunk).toBeInstanceOf(Buffer);
    return ended;
  };
  const { outcomes, events } = await deliverByPipe(parts(command, { run }), message, [to(recipient)], never);
  return { outcome: outcomes[0], events };
}

describe('deliverByPipe()', () => {
  test('gives a program the message as it would lie in a Maildir, and says what it ran', async () => {
    const file = join(directory, 'message');
    const words = [`\${recipient}`, `\${user}`, `\${domain}`, `\${sender}`, `\${queueId}`, `--to=\${user}`];
    const command = ['/bin/sh', '-c', `cat > ${file}; echo "$@" >> ${file}`, 'sh', ...words];
    const { outcomes, events } = await deliverByPipe(parts(command), message, [to('bob@example.net')], never);
    expect(outcomes).toEqual([{ kind: 'delivered', program: '/bin/sh' }]);
    expect(readFileSync(file, 'latin1')).toBe(
      'Return-Path: <a@example.com>\nDelivered-To: bob@example.net\nReceived: by mx.example.com\n' +
        'Subject: hello\n\n.dot\nbare \r and end\n' +
        'bob@example.net bob example.net a@example.com 0123456789ABCD --to=bob\n',
    );
    expect(events).toMatchObject([
      { event: 'ran', recipient: 'bob@example.net', data: { end: 'exit code 0: taken' } },
    ]);
  });

  test.each([
    [0, 'delivered', undefined],
    [64, 'deferred', '4.3.5'],
    [65, 'failed', '5.6.0'],
    [66, 'deferred', '4.3.0'],
    [67, 'failed', '5.1.1'],
    [68, 'failed', '5.1.2'],
    [69, 'failed', '5.3.0'],
    [70, 'deferred', '4.3.0'],
    [71, 'deferred', '4.3.0'],
    [72, 'deferred', '4.3.0'],
    [73, 'deferred', '4.2.0'],
    [74, 'deferred', '4.3.0'],
    [75, 'deferred', '4.3.0'],
    [76, 'failed', '5.5.0'],
    [77, 'failed', '5.7.0'],
    [78, 'deferred', '4.3.5'],
    [100, 'failed', '5.3.0'],
    [111, 'deferred', '4.3.0'],
    [127, 'deferred', '4.3.0'],
    [1, 'deferred', '4.3.0'],
  ])('exit code %i: %s %s', async (code, kind, status) => {
    const { outcome } = await outcomeOf({ kind: 'exited', code, output: 'no such\r\nuser \u001b[2J\n' });
    expect(outcome).toMatchObject(status === undefined ? { kind } : { kind, status });
    if (outcome?.kind === 'failed') expect(outcome.reason).toContain('it said: no such / user \\x1b[2J');
  });

  test.each([
    [{ kind: 'timeout', output: '' } as const, 'inDoubt', '4.4.7'],
    [{ kind: 'aborted', output: '' } as const, 'inDoubt', '4.3.2'],
    [{ kind: 'killed', by: 'SIGSEGV', output: '' } as const, 'deferred', '4.3.0'],
    [{ kind: 'notStarted', error: new Error('ENOENT') } as const, 'deferred', '4.3.5'],
    [{ kind: 'badInput', error: new Error('EIO') } as const, 'deferred', '4.3.0'],
  ])('%j: %s %s', async (ended, kind, status) => {
    expect((await outcomeOf(ended)).outcome).toMatchObject({ kind, status });
  });

  test.each([
    ['-rf@example.net', ['/bin/x', `\${recipient}`]],
    ['"-d root"@example.net', ['/bin/x', '-d', `\${user}`]],
  ])('lets no address become an option: %s', async (recipient, command) => {
    const { outcome, events } = await outcomeOf({ kind: 'exited', code: 0, output: '' }, recipient, command);
    expect(outcome).toMatchObject({ kind: 'failed', status: '5.1.3' });
    expect(events).toEqual([]);
  });

  test('takes an address with a dash where it is no option', async () => {
    const command = ['/bin/x', `--for=\${user}`, `to:\${recipient}`];
    const { outcome } = await outcomeOf({ kind: 'exited', code: 0, output: '' }, '-rf@example.net', command);
    expect(outcome?.kind).toBe('delivered');
  });

  test('runs so many at once as the transport allows, and each recipient on its own', async () => {
    let running = 0;
    let most = 0;
    const run = async (): Promise<ProgramEnd> => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return { kind: 'exited', code: 0, output: '' };
    };
    const jobs = Array.from({ length: 7 }, (_, number) => to(`r${number}@example.net`, number));
    const { outcomes } = await deliverByPipe(parts(['/bin/x'], { run }), message, jobs, never);
    expect(most).toBe(2);
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array(7).fill('delivered'));
  });

  test('does not begin what waits for its turn when the server stops', async () => {
    const stop = new AbortController();
    const run = async ({ signal }: ProgramRun): Promise<ProgramEnd> => {
      await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()));
      return { kind: 'aborted', output: '' };
    };
    const jobs = [0, 1, 2].map((number) => to(`r${number}@example.net`, number));
    const attempt = deliverByPipe(parts(['/bin/x'], { run }), message, jobs, stop.signal);
    setImmediate(() => stop.abort());
    const { outcomes } = await attempt;
    expect(outcomes.map(({ kind }) => kind)).toEqual(['inDoubt', 'inDoubt', 'deferred']);
  });
});
