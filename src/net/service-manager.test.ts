import { expect, test } from 'vitest';
import { fakeClock } from '../testing/fake-clock.ts';
import { recordingLog } from '../testing/recording-log.ts';
import type { ProgramEnd, ProgramRun } from './program.ts';
import { tellServiceManager } from './service-manager.ts';

function stage(env: Record<string, string>, end: ProgramEnd) {
  const runs: ProgramRun[] = [];
  const { log, lines } = recordingLog();
  const run = async (what: ProgramRun) => {
    runs.push(what);
    return end;
  };
  return { parts: { env, pid: 7, clock: fakeClock(), log, run }, runs, lines };
}

test('tellServiceManager() tells systemd, in the name of the server', async () => {
  const { parts, runs, lines } = stage(
    { NOTIFY_SOCKET: '/run/systemd/notify', SECRET: 'x' },
    { kind: 'exited', code: 0, output: '' },
  );
  await tellServiceManager(parts, 'MAINPID=7', 'READY=1');
  expect(runs).toMatchObject([
    {
      command: ['systemd-notify', '--pid=7', 'MAINPID=7', 'READY=1'],
      env: { NOTIFY_SOCKET: '/run/systemd/notify' },
    },
  ]);
  expect(lines('warn')).toEqual([]);
});

test('tellServiceManager() tells nobody where nobody asks', async () => {
  const { parts, runs } = stage({}, { kind: 'exited', code: 0, output: '' });
  await tellServiceManager(parts, 'READY=1');
  expect(runs).toEqual([]);
});

test('tellServiceManager() warns where it cannot', async () => {
  const { parts, lines } = stage({ NOTIFY_SOCKET: '@x' }, { kind: 'exited', code: 1, output: 'no' });
  await tellServiceManager(parts, 'READY=1');
  expect(lines('warn')).toHaveLength(1);
});
