import { expect, test } from 'vitest';
import { rateRows } from './comparison.ts';
import { type Contestant, playContest } from './contest.ts';

const quick = { messages: 8, rounds: 2, budgetMs: 60_000, settleMs: 0 };
const silent = () => {};

/** Passes on at once what it is sent, and writes down when that was. */
function contestant(name: string, diary: string[], delayMs = 0): Contestant {
  let arrived = 0;
  return {
    name,
    description: '',
    pid: process.pid,
    arrivals: { count: async () => arrived, reached: async () => {} },
    send: async (messages) => {
      diary.push(`${name} ${messages}`);
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      arrived += messages;
    },
  };
}

test('playContest() warms each up, then lets them play in turn', async () => {
  const diary: string[] = [];
  const played = await playContest([contestant('a', diary), contestant('b', diary)], quick, silent);
  expect(diary).toEqual(['a 2', 'a 6', 'b 2', 'b 6', 'a 8', 'b 8', 'a 8', 'b 8']);
  expect(played.map(({ name, rounds }) => [name, rounds.length])).toEqual([
    ['a', 2],
    ['b', 2],
  ]);
});

test('playContest() tidies up behind each when its turn is over, not within it', async () => {
  const diary: string[] = [];
  const tidy = (name: string): Contestant => ({
    ...contestant(name, diary),
    tidyUp: async () => void diary.push(`${name} tidied up`),
  });
  await playContest([tidy('a'), tidy('b')], { ...quick, rounds: 1 }, silent);
  expect(diary.join(', ')).toBe(
    'a 2, a 6, a tidied up, b 2, b 6, b tidied up, a 8, a tidied up, b 8, b tidied up',
  );
});

test('playContest() plays one round whatever the budget, and begins no second one beyond it', async () => {
  const diary: string[] = [];
  const [played] = await playContest([contestant('a', diary)], { ...quick, budgetMs: 0 }, silent);
  expect(played?.rounds).toHaveLength(1);
});

test('playContest() takes no figure from a server that sends a message twice', async () => {
  const twice = {
    ...contestant('twice', []),
    arrivals: { count: async () => sent * 2, reached: async () => {} },
  };
  let sent = 0;
  twice.send = async (messages) => {
    sent += messages;
  };
  await expect(playContest([twice], quick, silent)).rejects.toThrow('twice: 2 messages more than were sent');
});

test('playContest() gives a slow server fewer messages', async () => {
  const diary: string[] = [];
  const slow = contestant('slow', diary, 25);
  await playContest([slow], { ...quick, messages: 400, rounds: 1, roundLimitMs: 25 }, silent);
  const sent = diary.map((line) => Number(line.split(' ')[1]));
  const round = sent.at(-1);
  expect(sent[0]).toBe(100);
  expect(round).toBeLessThan(110); // 100 in a little more than 25 ms are a little less than 100 in 25 ms.
});

test('rateRows() compares the first with each of the others, by medians', () => {
  const round = (rate: number) => ({
    acceptedPerSecond: 0,
    deliveredPerSecond: rate,
    cpuMsPerMessage: 0,
    peakPssBytes: 0,
  });
  const played = (name: string, rates: number[]) => ({ name, description: '', rounds: rates.map(round) });
  const field = [played('posthorn', [3000, 4000, 5000]), played('postfix-tuned', [900, 1000, 2000])];
  expect(rateRows('relay', 1024, field)).toEqual([
    {
      bench: 'relay',
      peer: 'postfix-tuned',
      sizeBytes: 1024,
      unit: 'msg/s',
      ours: 4000,
      theirs: 1000,
      ratio: 4,
    },
  ]);
  expect(rateRows('relay', 1024, field.slice(0, 1))).toEqual([]);
});
