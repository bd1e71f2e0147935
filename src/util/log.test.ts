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
