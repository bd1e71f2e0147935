import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { createLog } from './log.ts';

/** For scripts that run in a process of their own. */
const module = JSON.stringify(new URL('./log.ts', import.meta.url).href);

test('createLog() writes one line of JSON per event, with the queue id', () => {
  const lines: string[] = [];
  const log = createLog('info', { write: (line) => lines.push(line) });
  log.debug('not this');
  log.child({ queueId: '01J9Z6K4TQ000A' }).info({ recipient: 'a@example.net' }, 'delivered');
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    queueId: '01J9Z6K4TQ000A',
    recipient: 'a@example.net',
    msg: 'delivered',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
  });
});

test('createLog() gathers lines, and leaves none behind when the process ends', () => {
  const script = `
    const { createLog } = await import(${module});
    createLog().info('gathered');
    setTimeout(() => { createLog().info('the last one'); process.exit(); }, 50);`;
  const { stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  const lines = stderr.trim().split('\n');
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['gathered', 'the last one']);
});

test.each([0, 5, 60])(
  'a process whose log nobody reads any more ends all the same, %i ms after a line',
  (ms) => {
    const script = `
    const { createLog } = await import(${module});
    const log = createLog();
    log.info('nobody reads this');
    setTimeout(() => { log.info('nor this'); process.exit(7); }, ${ms});`;
    const command = `("$0" -e "$1"; echo $? >&3) 2>&1 >/dev/null | true`;
    const arguments_ = ['-c', command, process.execPath, script];
    const { output } = spawnSync('sh', arguments_, {
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
      timeout: 8000,
      killSignal: 'SIGKILL',
    });
    expect(output[3]).toBe('7\n');
  },
);
