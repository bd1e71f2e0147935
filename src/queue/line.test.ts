import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eachIn, emptyLine, enter, jobsOf, takeAll, takeNext, type Waiter } from './line.ts';

interface Letter extends Waiter {
  name: string;
}

const letter = (sender: string, number: number, jobCount = 1): Letter => ({
  sender,
  name: `${sender}${number}`,
  jobCount,
});

function lineOf(...letters: Letter[]) {
  const line = emptyLine<Letter>();
  for (const each of letters) enter(line, each);
  return line;
}

function namesIn(line: ReturnType<typeof lineOf>): string[] {
  const names: string[] = [];
  for (let next = takeNext(line); next !== undefined; next = takeNext(line)) names.push(next.name);
  return names;
}

describe('a line', () => {
  test('P7: one with much mail does not keep the others waiting: senders take turns', () => {
    const letters = [0, 1, 2, 3].map((number) => letter('a', number));
    const line = lineOf(...letters, letter('b', 0), letter('c', 0), letter('b', 1));
    expect(namesIn(line)).toEqual(['a0', 'b0', 'c0', 'a1', 'b1', 'a2', 'a3']);
  });

  test('what its sender finds urgent goes before his other mail, and before nobody else (RFC 6710)', () => {
    const urgent = (name: string, number: number, priority: number) => ({
      ...letter(name, number),
      priority,
    });
    const line = lineOf(
      letter('a', 0),
      urgent('a', 1, -4),
      urgent('a', 2, 9),
      letter('b', 0),
      urgent('a', 3, 4),
      urgent('a', 4, 9),
      letter('b', 1),
    );
    expect(jobsOf(line, 'a')).toBe(5);
    expect([...eachIn(line)].map(({ name }) => name)).toEqual(['a2', 'a4', 'a3', 'a0', 'a1', 'b0', 'b1']);
    expect(namesIn(line)).toEqual(['a2', 'b0', 'a4', 'b1', 'a3', 'a0', 'a1']);
    expect(line).toEqual(emptyLine());
  });

  test('a sender who comes back stands behind those who wait', () => {
    const line = lineOf(letter('a', 0), letter('b', 0));
    expect(takeNext(line)?.name).toBe('a0');
    enter(line, letter('a', 1));
    expect(namesIn(line)).toEqual(['b0', 'a1']);
  });

  test('takeAll() empties it', () => {
    const line = lineOf(letter('a', 0, 3), letter('b', 0), letter('a', 1));
    takeNext(line);
    expect(takeAll(line).map(({ name }) => name)).toEqual(['b0', 'a1']);
    expect(line).toEqual(emptyLine());
  });

  test('P7: however letters come and go: none is lost, none comes twice, each sender keeps order, all is counted', () => {
    const move = fc.oneof(
      fc.record(
        {
          sender: fc.constantFrom('a', 'b', 'c'),
          jobCount: fc.integer({ min: 1, max: 9 }),
          priority: fc.constantFrom(-9, 0, 4),
        },
        { requiredKeys: ['sender', 'jobCount'] },
      ),
      fc.constant('take' as const),
    );
    fc.assert(
      fc.property(fc.array(move, { maxLength: 400 }), (moves) => {
        const line = emptyLine<Letter>();
        const waiting = new Map<string, Letter[]>();
        moves.forEach((each, number) => {
          if (each === 'take') {
            const taken = takeNext(line);
            if (taken) expect(waiting.get(taken.sender)?.shift()).toBe(taken);
          } else {
            const { sender, jobCount, ...priority } = each;
            const entering = { ...letter(sender, number, jobCount), ...priority };
            enter(line, entering);
            const own = waiting.get(sender) ?? [];
            const rank = (one: Letter) => one.priority ?? 0;
            const behind = own.findIndex((other) => rank(other) < rank(entering));
            waiting.set(sender, own.toSpliced(behind === -1 ? own.length : behind, 0, entering));
          }
          const all = [...waiting.values()].flat();
          const jobs = (letters: Letter[]) => letters.reduce((sum, { jobCount }) => sum + jobCount, 0);
          expect([line.groups, line.jobs]).toEqual([all.length, jobs(all)]);
          for (const [sender, own] of waiting) expect(jobsOf(line, sender)).toBe(jobs(own));
        });
      }),
    );
  });
});
