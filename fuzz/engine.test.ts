import { describe, expect, test } from 'vitest';
import { fuzzTarget, judge } from './engine.ts';
import { checkLongRuns } from './long-runs.ts';
import { between, demand, type Target } from './targets/target.ts';

const options = { seed: 1, milliseconds: 300, note: () => undefined };

function target(read: (input: Buffer) => unknown, more: Partial<Target> = {}): Target {
  return { name: 'planted', seeds: () => [Buffer.from('a harmless seed, with "quotes"')], read, ...more };
}

/** Looks at every pair of octets. */
function quadratic(input: Buffer): number {
  let pairs = 0;
  for (let one = 0; one < input.length; one++)
    for (let other = 0; other < input.length; other++) if (input[one] === input[other]) pairs++;
  return pairs;
}

describe('fuzzTarget()', { timeout: 60_000 }, () => {
  test('finds a throw, and makes its input small', async () => {
    const planted = target((input) => demand(!/".*"/s.test(input.toString('latin1')), 'a pair of quotes'));
    const { findings } = await fuzzTarget(planted, options);
    const small = findings.find(({ input }) => input !== undefined);
    expect(small).toMatchObject({ kind: 'throw', message: expect.stringContaining('a pair of quotes') });
    expect(small?.input?.toString()).toBe('""');
  });

  test('finds a rejection too', async () => {
    const { findings } = await fuzzTarget(
      target(async () => Promise.reject(new TypeError('always'))),
      options,
    );
    expect(findings.at(-1)).toMatchObject({ kind: 'throw', message: expect.stringContaining('always') });
  });

  test('finds memory that is kept', async () => {
    const kept: Buffer[] = [];
    const { findings } = await fuzzTarget(
      target(() => undefined, { check: () => kept.push(Buffer.alloc(1_000_000, 1)) }),
      // The fewest inputs there are: how many more fit into a time is the machine's affair.
      { ...options, milliseconds: 0 },
    );
    expect(findings).toContainEqual(expect.objectContaining({ kind: 'memory' }));
  });

  test('finds nothing where there is nothing, and says how much it looked at', async () => {
    const report = await fuzzTarget(
      target((input) => input.length),
      options,
    );
    expect(report).toMatchObject({
      target: 'planted',
      runs: expect.stringMatching(/^\d+\/\d+$/),
      findings: [],
    });
    expect(report.executions).toBeGreaterThan(100);
  });

  test('draws the same inputs from the same seed', async () => {
    const inputsOf = async (seed: number) => {
      const inputs: string[] = [];
      const note = (input: Buffer) => input.length < 100_000 && inputs.push(input.toString('base64'));
      await fuzzTarget(
        target(() => undefined),
        { seed, milliseconds: 0, note },
      );
      return inputs;
    };
    expect(await inputsOf(7)).toEqual(await inputsOf(7));
    expect(await inputsOf(7)).not.toEqual(await inputsOf(8));
  });
});

describe('judge()', { timeout: 60_000 }, () => {
  test('finds an input that takes the square of its length', async () => {
    expect(await judge(target(quadratic), Buffer.alloc(16_000))).toMatchObject({ kind: 'slow' });
  });

  test('finds nothing in one that takes its length', async () => {
    expect(
      await judge(
        target((input) => input.indexOf('x')),
        Buffer.alloc(65_536),
      ),
    ).toBeUndefined();
  });
});

/** What is slow is tried again and again, with pauses, before it is believed. */
describe('checkLongRuns()', { timeout: 60_000 }, () => {
  const runs = (planted: Target, most: number) => {
    let left = most;
    return checkLongRuns(planted, { seed: 1, timeLeft: () => left-- > 0, note: () => undefined });
  };

  test('finds a quadratic run wherever it lies, and says how it is made', async () => {
    const planted = target(
      (input) => input.toString('latin1').endsWith('(()') && quadratic(input.subarray(0, 16_000)),
      {
        places: [between('(', ')')],
      },
    );
    const { findings, done, all } = await runs(planted, 1000);
    expect(done).toBe(all);
    expect(findings.map(({ kind, message }) => [kind, message.replace(/:.*/, '')])).toContainEqual([
      'slow',
      "'(' over and over at '(\\x01RUN\\x01)'",
    ]);
  });

  /** What is done depends on how many whole packets there are. */
  const reader = (work: (packets: number) => unknown) => {
    const packet = `a-packet-${'x'.repeat(21)}`;
    const count = (input: Buffer) => input.toString('latin1').split(packet).length - 1;
    return target((input) => work(count(input)), { seeds: () => [Buffer.from(packet)] });
  };

  test('finds what only whole packets show', async () => {
    const planted = reader((packets) => quadratic(Buffer.alloc(packets)));
    expect((await runs(planted, 1000)).findings).toEqual([
      expect.objectContaining({
        kind: 'slow',
        message: expect.stringContaining('times what a quarter takes'),
      }),
    ]);
  });

  test('finds no fault in work that grows with their number', async () => {
    let most = 0;
    const planted = reader((packets) => {
      for (let left = packets; left > 0; left--) quadratic(Buffer.alloc(80));
      most = Math.max(most, packets);
    });
    expect((await runs(planted, 1000)).findings).toEqual([]);
    expect(most).toBeGreaterThan(8000);
  });

  test('stops when the time is over', async () => {
    expect(
      await runs(
        target(() => undefined),
        3,
      ),
    ).toMatchObject({ done: 3 });
  });
});
