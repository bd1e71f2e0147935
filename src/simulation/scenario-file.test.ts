import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../config/problem.ts';
import { loadScenario, parseScenario } from './scenario-file.ts';

function problemsOf(toml: string): string[] {
  try {
    parseScenario(toml, '/s.toml');
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ line, key, what, remedy }) => `${line} ${key}: ${what} | ${remedy}`);
  }
  return [];
}

const receiver = '[[receiver]]\ndomain = "a.example"\n';

describe('parseScenario()', () => {
  test('fills in what is not said', () => {
    expect(parseScenario(receiver, '/s.toml')).toEqual({
      seed: 1,
      lengthMs: 168 * 3600_000,
      delivery: {
        concurrency: 200,
        permanentFailures: 'careful',
        retryMinutes: [5, 15, 30, 60, 120, 240, 360],
        lifetimeHours: 120,
        delayWarningHours: 4,
        doubtMinutes: 10,
      },
      sites: [],
      receivers: [
        {
          domain: 'a.example',
          mx: ['mx.a.example'],
          queued: 0,
          perMinute: 0,
          arrivalsMs: 168 * 3600_000,
          senders: 1,
          latencyMs: 500,
          greylistMs: 0,
          phases: [],
        },
      ],
    });
  });

  test('reads what a receiver does for a time', () => {
    const phases = ['reply = "421-no"', 'reply = "421 4.7.0 Later"', 'down = "silent"', 'latencyMs = 7'].map(
      (does) => `[[receiver.phase]]\nfromMinutes = 5\nminutes = 10\n${does}\n`,
    );
    expect(problemsOf(receiver + phases[0])).toEqual([
      expect.stringMatching(
        /^6 receiver\[1\]\.phase\[1\]\.reply: "421-no" is not an SMTP reply \| Write it as/,
      ),
    ]);
    const [only] = parseScenario(receiver + phases.slice(1).join(''), '/s.toml').receivers;
    const times = { fromMs: 300_000, untilMs: 900_000 };
    expect(only?.phases).toEqual([
      { ...times, does: { code: 421, enhanced: '4.7.0', lines: ['Later'] } },
      { ...times, does: 'silent' },
      { ...times, does: { latencyMs: 7 } },
    ]);
  });

  test.each([
    ['no receiver', 'seed = 3', /^1 : there is no receiver \| Add a \[\[receiver\]\]/],
    ['bad TOML', 'seed = ', /^1 :/],
    ['an unknown key', `${receiver}latency = 5`, /^3 .*there is no such key \| Did you mean latencyMs\?/],
    ['a key in the wrong place', `queued = 5\n${receiver}`, /^1 queued: .*It belongs in \[\[receiver\]\]/],
    ['a receiver that is no list', '[receiver]\ndomain = "a.example"', /Write it as \[\[receiver\]\]/],
    ['a number that is none', `${receiver}queued = "many"`, /^3 .*"many" is not a number of messages from 0/],
    ['no domain', '[[receiver]]\nqueued = 1', /^1 receiver\[1\]\.domain: is missing/],
    [
      'too much mail',
      `${receiver}perMinute = 90000`,
      /^1 receiver: 907200000 messages are more than 2000000/,
    ],
    [
      'a phase that does nothing',
      `${receiver}[[receiver.phase]]\nminutes = 1`,
      /^3 receiver\[1\]\.phase\[1\]: a phase does one thing \| Give reply/,
    ],
    [
      'a phase that does two things',
      `${receiver}[[receiver.phase]]\nminutes = 1\ndown = "silent"\nlatencyMs = 1`,
      /^3 receiver\[1\]\.phase\[1\]: a phase does one thing/,
    ],
  ])('tells of %s where it is and what to do', (_, toml, expected) => {
    expect(problemsOf(toml)).toEqual([expect.stringMatching(expected)]);
  });

  test('reads the examples, and says which file it could not', async () => {
    const directory = new URL('../../testdata/scenarios/', import.meta.url);
    const files = readdirSync(directory);
    expect(files.length).toBeGreaterThanOrEqual(3);
    for (const file of files) await loadScenario(new URL(file, directory).pathname);
    await expect(loadScenario('/nowhere/at-all.toml')).rejects.toThrow(/at-all\.toml: cannot be read/);
  });
});
