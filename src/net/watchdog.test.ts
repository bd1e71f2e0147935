import { expect, test } from 'vitest';
import { fakeClock } from '../testing/fake-clock.ts';
import { recordingLog } from '../testing/recording-log.ts';
import type { ProgramRun } from './program.ts';
import { reassureWatchdog } from './watchdog.ts';

const pid = 7;
const asked = { NOTIFY_SOCKET: '/run/systemd/notify', WATCHDOG_USEC: '120000000', WATCHDOG_PID: '7' };

function stage(env: Record<string, string>, { isSuccessor = false, code = 0 } = {}) {
  const runs: ProgramRun[] = [];
  const clock = fakeClock();
  const { log, lines } = recordingLog();
  const run = async (what: ProgramRun) => {
    runs.push(what);
    return { kind: 'exited', code, output: '' } as const;
  };
  const end = reassureWatchdog({ env, pid, clock, log, run, isSuccessor });
  const pass = async (seconds: number) => {
    for (let passed = 0; passed < seconds; passed++) {
      clock.advance(1000);
      await new Promise(setImmediate); // for the program to end
    }
  };
  return { runs, lines, end, pass };
}

test('reassureWatchdog() speaks three times within what the unit allows', async () => {
  const { runs, end, pass } = stage(asked);
  await pass(39);
  expect(runs).toEqual([]);
  await pass(81);
  expect(runs.map(({ command }) => command)).toEqual(
    Array.from({ length: 3 }, () => ['systemd-notify', '--pid=7', 'WATCHDOG=1']),
  );
  end();
  await pass(120);
  expect(runs).toHaveLength(3);
});

test('reassureWatchdog() speaks again after a word that did not arrive', async () => {
  const { runs, lines, pass } = stage(asked, { code: 1 });
  await pass(80);
  expect(runs).toHaveLength(2);
  expect(lines('warn')).toHaveLength(2);
});

test.each([
  ['the unit has no watchdog', { NOTIFY_SOCKET: '/run/systemd/notify' }],
  ['it is off', { ...asked, WATCHDOG_USEC: '0' }],
  ['its limit is no number', { ...asked, WATCHDOG_USEC: 'soon' }],
  ['another process is watched', { ...asked, WATCHDOG_PID: '8' }],
])('reassureWatchdog() says nothing where %s', async (_, env) => {
  const { runs, pass } = stage(env);
  await pass(120);
  expect(runs).toEqual([]);
});

test('reassureWatchdog() takes over the watch over the process before', async () => {
  const { runs, pass } = stage({ ...asked, WATCHDOG_PID: '6' }, { isSuccessor: true });
  await pass(40);
  expect(runs).toHaveLength(1);
});

test('a process that is asked by no pid in particular is asked', async () => {
  const { WATCHDOG_PID: _, ...env } = asked;
  const { runs, pass } = stage(env);
  await pass(40);
  expect(runs).toHaveLength(1);
});
