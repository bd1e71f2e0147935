import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { createLog } from './log.ts';

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
  const log = JSON.stringify(new URL('./log.ts', import.meta.url).href);
  const script = `
    const { createLog } = await import(${log});
    createLog().info('gathered');
    setTimeout(() => { createLog().info('the last one'); process.exit(); }, 50);`;
  const { stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  const lines = stderr.trim().split('\n');
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['gathered', 'the last one']);
});
