import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { NewMessage } from '../store/queue-store.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { QueueStage } from '../testing/queue-stage.ts';
import { piece, places, refused, tooFast } from '../testing/schedule-stage.ts';
import { sampleJob, sampleMessage, type TemporaryStore, temporaryStore } from '../testing/store.ts';
import type { DeliveryGroup } from './hand-out.ts';
import { replay, ScheduleRecorder } from './recording.ts';
import { initialSchedule, type ScheduleLimits, step } from './schedule.ts';

const minute = 60_000;
const limits: ScheduleLimits = {
  concurrency: 6,
  perSite: (site) => ({ connections: 3, start: 2, ...(site === 'slow.example' && { messagesPerHour: 60 }) }),
  apart: () => false,
  maxHeld: 20,
};

let temporary: TemporaryStore;
beforeAll(async () => {
  temporary = await temporaryStore();
});
afterAll(() => temporary[Symbol.asyncDispose]());

describe('a recording of the schedule', () => {
  test('P7: of a live queue replays to identical commands', async () => {
    const clock = fakeClock();
    const lines: string[] = [];
    const recorder = new ScheduleRecorder<DeliveryGroup>(limits, (line) => lines.push(line) > 0);
    const stage = new QueueStage({ store: temporary.store, clock, limits: recorder.limits, recorder });
    stage.queue.start();
    const letter = (number: number): Omit<NewMessage, 'claimed'> => {
      const now = clock.now();
      const times = { queuedAt: now, nextAttemptAt: now, expiresAt: now + 9_999 * minute };
      const destinations = ['good.example', 'down.example', 'busy.example', 'slow.example'];
      const jobs = destinations.map((destination, job) =>
        sampleJob(`Q${number}`, {
          number: job,
          recipient: `secret-name@${destination}`,
          destination,
          ...times,
        }),
      );
      return sampleMessage(`Q${number}`, { jobs });
    };
    for (let number = 0; number < 12; number++) await stage.queue.accept(letter(number));
    const answered = new Set<DeliveryGroup>();
    const answerAll = async () => {
      for (const group of stage.begun) {
        if (answered.has(group)) continue;
        answered.add(group);
        const isGood = group.site === 'good.example' || answered.size > 60;
        // Receivers like to say whom they mean.
        const reason = `421 not now for ${group.jobs[0]?.recipient}`;
        const trouble = { ...(group.site === 'busy.example' ? tooFast : refused), reason };
        await stage.settle(
          group,
          isGood ? 'done' : { retryAfter: 5 * minute },
          [],
          isGood ? 'reached' : trouble,
        );
      }
    };
    await vi.waitFor(
      async () => {
        await answerAll();
        clock.advance(20_000);
        expect((await temporary.store.listJobs({ limit: 1 })).jobs).toEqual([]);
      },
      { timeout: 20_000, interval: 5 },
    );
    await stage.queue.stop();
    const { steps, difference } = await replay(lines);
    expect(difference).toBeUndefined();
    expect(steps).toBeGreaterThan(100);
    const kinds = new Set(lines.flatMap((line) => JSON.parse(line).commands ?? []).map(({ type }) => type));
    expect([...kinds].sort()).toEqual(['claim', 'defer', 'putBack', 'start', 'wake']);
    expect(lines.join()).not.toContain('secret-name');
  });

  function shortRun() {
    const lines: string[] = [];
    const own: ScheduleLimits = { ...limits, perSite: () => places(1) };
    const recorder = new ScheduleRecorder<ReturnType<typeof piece>>(own, (line) => lines.push(line) > 0);
    const state = initialSchedule<ReturnType<typeof piece>>(recorder.limits);
    const group = piece('a', 'a.example', { expiresAt: 9e9 });
    const events = [
      { type: 'reserved', jobCount: 1 } as const,
      { type: 'ready', group } as const,
      { type: 'finished', group, site: 'reached' } as const,
    ];
    for (const event of events) recorder.note(event, 5, step(state, event, 5).commands);
    return lines;
  }

  test('tells the first step that goes another way now', async () => {
    const lines = shortRun();
    expect(await replay(lines)).toEqual({ steps: 3 });
    const other = lines.map((line) => line.replace('"type":"start"', '"type":"defer"'));
    expect(await replay(other)).toMatchObject({
      steps: 2,
      difference: {
        line: 4,
        recorded: [{ type: 'defer', group: 1 }],
        replayed: [{ type: 'start', group: 1 }],
      },
    });
  });

  test('plays what is whole where the last line is cut', async () => {
    expect(await replay([...shortRun(), '{"now'])).toEqual({ steps: 3, isCut: true });
  });

  test.each([
    ['nothing', [], /it is empty/],
    [
      'a line that is cut',
      [...shortRun().slice(0, 2), '{"now', ...shortRun().slice(2)],
      /line 3 is not JSON/,
    ],
    ['a cut line alone', ['{"posth'], /line 1 is not JSON/],
    ['another file', ['{"a":1}'], /line 1 is not of a recording/],
    [
      'a group that is none',
      [...shortRun(), '{"now":1,"event":{"type":"ready","group":7},"commands":[]}'],
      /line 6 is not/,
    ],
    ['a step that is none', [...shortRun(), '{"now":1}'], /line 6 is not of a recording/],
    ['a recording without its beginning', [...shortRun().slice(0, 3), ...shortRun().slice(4)], /never began/],
  ])('replay() of %s says what is wrong', async (_, lines, message) => {
    await expect(replay(lines)).rejects.toThrow(message);
  });

  test('ends where no more lines are taken', () => {
    let count = 0;
    const recorder = new ScheduleRecorder(limits, () => ++count < 2);
    for (let note = 0; note < 5; note++) recorder.note({ type: 'tick' }, note, []);
    expect(count).toBe(2);
  });
});
