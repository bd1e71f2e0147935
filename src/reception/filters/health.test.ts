import { expect, test } from 'vitest';
import { fakeClock } from '../../testing/fake-clock.ts';
import { createLog } from '../../util/log.ts';
import { FilterHealth, toldEveryMs } from './health.ts';

test('FilterHealth tells of a filter that is down at once, seldom from then on, and of its end', () => {
  const lines: Record<string, unknown>[] = [];
  const clock = fakeClock();
  const log = createLog('info', { write: (line) => void lines.push(JSON.parse(line)) });
  const health = new FilterHealth({ log, clock });
  const fact = { name: 'clamd', unknown: 'down', problem: 'refused', whenDown: 'defer' } as const;
  health.worked('clamd');
  for (let count = 0; count < 10; count++) health.failed(fact);
  clock.advance(toldEveryMs);
  health.failed(fact);
  health.worked('clamd');
  health.worked('clamd');
  health.failed(fact);
  expect(lines.map(({ level, filter, times, failures }) => [level, filter, times ?? failures])).toEqual([
    [40, 'clamd', 1],
    [40, 'clamd', 10],
    [30, 'clamd', 11],
    [40, 'clamd', 1],
  ]);
});
