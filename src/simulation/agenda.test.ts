import { expect, test } from 'vitest';
import { Agenda } from './agenda.ts';

test('Agenda does what is planned in order of time, and of planning where the time is the same', () => {
  const agenda = new Agenda(100);
  const done: string[] = [];
  const note = (name: string) => () => done.push(`${name} at ${agenda.now}`);
  agenda.plan(300, note('c'));
  agenda.plan(200, () => {
    done.push('a');
    agenda.plan(50, note('late')); // in the past: next
  });
  agenda.plan(200, note('b'));
  expect(agenda.nextAt).toBe(200);
  while (agenda.doNext());
  expect(done).toEqual(['a', 'b at 200', 'late at 200', 'c at 300']);
  expect(agenda.nextAt).toBeUndefined();
});
