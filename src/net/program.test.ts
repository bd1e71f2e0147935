import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { systemClock } from '../util/clock.ts';
import { killAfterMs, maxOutputBytes, type ProgramRun, runProgram } from './program.ts';

const directory = mkdtempSync(join(tmpdir(), 'posthorn-program-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** A shell is what the test runs, not what runs it. */
const script = (text: string, ...words: string[]) => ['/bin/sh', '-c', text, 'sh', ...words];

const run = (command: readonly string[], more: Partial<ProgramRun> = {}) =>
  runProgram({ command, input: [], timeoutMs: 20_000, clock: systemClock, ...more });

describe('runProgram()', () => {
  test('gives the octets of the input, and takes exit code and output', async () => {
    const input = [Buffer.from('one\n'), Buffer.from([0, 0xff, 0x0a])];
    const file = join(directory, 'input');
    const ended = await run(script(`cat > ${file}; echo out; echo err >&2; exit 75`), { input });
    expect(ended).toMatchObject({ kind: 'exited', code: 75 });
    expect('output' in ended && ended.output.split('\n').sort().join(' ').trim()).toBe('err out');
    expect(readFileSync(file)).toEqual(Buffer.concat(input));
  });

  test('hands arguments over as they are: no shell looks at them', async () => {
    const words = ['$(id)', '; touch x', 'a\'b"c', '*', '', 'new\nline'];
    const file = join(directory, 'words');
    await run(['/bin/sh', '-c', 'for each do printf "%s|" "$each"; done > $0', file, ...words]);
    expect(readFileSync(file, 'utf8')).toBe(words.map((word) => `${word}|`).join(''));
  });

  test('gives an environment of its own', async () => {
    process.env.POSTHORN_TEST_SECRET = 'x';
    try {
      const ended = await run(['/usr/bin/env']);
      expect('output' in ended && ended.output.trim().split('\n').sort()).toEqual([
        'LANG=C.UTF-8',
        'PATH=/usr/local/bin:/usr/bin:/bin',
      ]);
    } finally {
      delete process.env.POSTHORN_TEST_SECRET;
    }
  });

  test('keeps maxOutputBytes of an endless output, and does not block the program', async () => {
    const ended = await run(script('head -c 1000000 /dev/zero | tr "\\0" x; exit 3'));
    expect(ended).toEqual({ kind: 'exited', code: 3, output: 'x'.repeat(maxOutputBytes) });
  });

  test('does not mind a program that reads nothing, however much there is', async () => {
    const input = Array.from({ length: 64 }, () => Buffer.alloc(65_536, 'x'));
    expect(await run(script('exit 0'), { input })).toEqual({ kind: 'exited', code: 0, output: '' });
  });

  test('ends a program and its children when its time is over', async () => {
    const file = join(directory, 'pid');
    const ended = await run(script(`sleep 600 & echo $! > ${file}; echo begun; wait`), { timeoutMs: 300 });
    expect(ended).toEqual({ kind: 'timeout', output: 'begun\n' });
    const pid = Number(readFileSync(file, 'utf8'));
    // It is ended; somebody has still to take note of that.
    await eventually(async () => !isRunning(pid) || undefined, { explain: () => `${pid} still runs` });
  });

  test('leaves a program to itself that runs as somebody else, and so cannot be ended', async () => {
    const clock = fakeClock();
    const groups = new Set<number>();
    const forbidden = vi.spyOn(process, 'kill').mockImplementation((group) => {
      groups.add(group);
      throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
    });
    try {
      const ended = run(script('sleep 600'), { clock, timeoutMs: 1000 });
      clock.advance(1000 + killAfterMs + killAfterMs);
      await setImmediate();
      clock.advance(killAfterMs);
      expect(await ended).toEqual({ kind: 'timeout', output: '' });
    } finally {
      forbidden.mockRestore();
      for (const group of groups) process.kill(group, 'SIGKILL');
    }
  });

  test('ends it when the signal is aborted, also before it began', async () => {
    const stop = new AbortController();
    const ended = run(script('sleep 600'), { signal: stop.signal });
    stop.abort();
    expect(await ended).toMatchObject({ kind: 'aborted' });
    expect(await run(script('sleep 600'), { signal: stop.signal })).toMatchObject({ kind: 'aborted' });
  });

  test('waits only briefly for outputs that a child in the background holds open', async () => {
    const ended = await run(script('sleep 3 & echo done; exit 0'));
    expect(ended).toEqual({ kind: 'exited', code: 0, output: 'done\n' });
  });

  test('tells of a signal of somebody else', async () => {
    expect(await run(script('kill -KILL $$'))).toMatchObject({ kind: 'killed', by: 'SIGKILL' });
  });

  test('tells that a program is not there', async () => {
    expect(await run(['/nonexistent/program'])).toMatchObject({
      kind: 'notStarted',
      error: { code: 'ENOENT' },
    });
  });

  test('ends the program when its input cannot be read', async () => {
    async function* broken() {
      yield Buffer.from('half');
      throw new Error('the disk is gone');
    }
    const file = join(directory, 'whole');
    const ended = await run(script(`cat > /dev/null; touch ${file}`), { input: broken() });
    expect(ended).toMatchObject({ kind: 'badInput', error: { message: 'the disk is gone' } });
    expect(existsSync(file)).toBe(false);
  });
});

/** A zombie runs no more. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
