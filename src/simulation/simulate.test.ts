import { describe, expect, test } from 'vitest';
import { parseScenario } from './scenario-file.ts';
import { Simulation } from './simulate.ts';
import { formatSummary, summaryOf } from './summary.ts';

const minute = 60_000;
const hour = 60 * minute;

function play(toml: string) {
  const simulation = new Simulation(parseScenario(toml, '/scenario.toml'), 0);
  simulation.begin();
  while (simulation.play(100_000));
  simulation.end();
  return { simulation, summary: summaryOf(simulation) };
}

const of = ({ summary }: ReturnType<typeof play>, domain: string) => {
  const found = summary.receivers.find((receiver) => receiver.domain === domain);
  if (found === undefined) throw new Error(`no ${domain}`);
  return found;
};

const storm = (queued: number) => `
[[receiver]]
domain = "gmail.com"
mx = ["gmail-smtp-in.l.google.com"]
queued = ${queued}
latencyMs = 400
[[receiver.phase]]
minutes = 120
reply = "421 4.7.28 unusual rate"
[[receiver]]
domain = "example.org"
perMinute = 30
arrivalsMinutes = 60
latencyMs = 200
`;

describe('a simulation', () => {
  test('P7: 50,000 messages to a receiver that answers 421 for 2 h: a few probes, others go on, and it drains', () => {
    const began = performance.now();
    const played = play(storm(50_000));
    expect(performance.now() - began).toBeLessThan(20_000); // two seconds on a quiet machine
    const gmail = of(played, 'gmail.com');
    expect(gmail).toMatchObject({ site: 'google.com', delivered: 50_000, waiting: 0, peakConnections: 5 });
    // 1 + 2 + 4 + 8 + 15 … minutes: eleven attempts in two hours, and they alone were in vain.
    expect(gmail.retries).toBeGreaterThanOrEqual(8);
    expect(gmail.retries).toBeLessThanOrEqual(12);
    expect(gmail.drainedAfterMs).toBeGreaterThan(2 * hour);
    expect(gmail.drainedAfterMs).toBeLessThan(4 * hour);
    const other = of(played, 'example.org');
    expect(other).toMatchObject({ delivered: 1800, retries: 0, notTried: 0 });
    expect(other.longestWaitMs).toBeLessThan(1000);
  });

  test('P7: after the storm a letter now and then goes before the backlog of who sends much', () => {
    const phase = '[[receiver.phase]]\nminutes = 120\nreply = "421 4.7.28 unusual rate"\n';
    const gmail = '[[receiver]]\ndomain = "gmail.com"\nmx = ["mx.google.com"]\nlatencyMs = 400\n';
    const { summary } = play(
      `${gmail}queued = 20000\n${phase}${gmail}perMinute = 1\narrivalsMinutes = 150\nsenders = 1000\n${phase}`,
    );
    const [bulk, people] = summary.receivers;
    expect(bulk).toMatchObject({ delivered: 20_000 });
    expect(people).toMatchObject({ delivered: 150 });
    // Until the first probe that gets through, and a few minutes; the backlog takes half an hour.
    expect(people?.longestWaitMs).toBeLessThan(2 * hour + 20 * minute);
    expect(bulk?.longestWaitMs).toBeGreaterThan(2 * hour + 25 * minute);
  });

  test('plays the same way for the same seed, and another for another', () => {
    const [one, again, other] = ['', '', 'seed = 2'].map((seed) => play(`${seed}${storm(500)}`).summary);
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
  });

  test('P7: a receiver that is down for a day is asked every quarter of an hour', () => {
    const played = play(
      '[[receiver]]\ndomain = "a.example"\nqueued = 1000\n[[receiver.phase]]\nminutes = 1440\ndown = "refused"',
    );
    const receiver = of(played, 'a.example');
    expect(receiver).toMatchObject({ delivered: 1000, gaveUp: 0 });
    expect(receiver.retries).toBeLessThan(24 * 4 + 10);
    expect(receiver.retries).toBeGreaterThan(60);
  });

  test('not-7: mail to who is down for good is given up at its end, not forgotten', () => {
    const played = play(
      'hours = 100\n[delivery]\nlifetimeHours = 24\n[[receiver]]\ndomain = "a.example"\nqueued = 200\n' +
        '[[receiver.phase]]\nminutes = 90000\ndown = "silent"',
    );
    expect(of(played, 'a.example')).toMatchObject({ delivered: 0, gaveUp: 200, waiting: 0 });
  });

  test('M7: greylisting costs each message its wait, and holds up nothing else', () => {
    const played = play(
      '[[receiver]]\ndomain = "a.example"\nqueued = 300\ngreylistMinutes = 5\nlatencyMs = 100\n',
    );
    const { delivered, retries, notTried, longestWaitMs } = of(played, 'a.example');
    // As the server does it: not too early, which is what costs a second retry.
    expect([delivered, retries, notTried]).toEqual([300, 300, 0]);
    expect(longestWaitMs).toBeLessThan(10 * minute);
  });

  test('M7: learns how long a receiver greylists, and comes then', () => {
    const played = play(
      '[[receiver]]\ndomain = "a.example"\nperMinute = 1\narrivalsMinutes = 600\ngreylistMinutes = 12\nlatencyMs = 100\n',
    );
    const { delivered, retries } = of(played, 'a.example');
    expect(delivered).toBe(600);
    expect(retries).toBeLessThan(700); // two for each of those that came before it was known
  });

  test('P7: a receiver with few places shows its pace, and loses little by it', () => {
    const played = play(
      '[[receiver]]\ndomain = "a.example"\nqueued = 3000\nconnections = 3\nlatencyMs = 1000\n',
    );
    const { delivered, retries, drainedAfterMs } = of(played, 'a.example');
    expect(delivered).toBe(3000);
    expect(retries).toBeLessThan(30);
    expect(drainedAfterMs).toBeLessThan(hour);
  });

  test('P7: a limit by the hour of the configuration is kept', () => {
    const played = play(
      '[[site]]\ndomains = ["a.example"]\nmessagesPerHour = 600\n[[receiver]]\ndomain = "a.example"\nqueued = 3000\nlatencyMs = 100\n',
    );
    const { delivered, drainedAfterMs } = of(played, 'a.example');
    expect(delivered).toBe(3000);
    expect(drainedAfterMs).toBeGreaterThanOrEqual(5 * hour - 5 * minute);
    expect(drainedAfterMs).toBeLessThan(6 * hour);
  });

  test('not-7: more mail than a limit by the hour lets through is given up at its end, and not late', () => {
    const played = play(
      'hours = 30\n[delivery]\nlifetimeHours = 24\n[[site]]\ndomains = ["a.example"]\nmessagesPerHour = 60\n' +
        '[[receiver]]\ndomain = "a.example"\nqueued = 4000\nlatencyMs = 100\n',
    );
    const { delivered, gaveUp, waiting, longestWaitMs } = of(played, 'a.example');
    expect(delivered + gaveUp).toBe(4000);
    expect(waiting).toBe(0);
    expect(delivered).toBeGreaterThan(24 * 59);
    expect(longestWaitMs).toBeLessThan(25.5 * hour);
  });

  test('tells what waits still when the time of the scenario is over', () => {
    const { summary } = play(
      'hours = 1\n[[receiver]]\ndomain = "a.example"\nqueued = 20\n[[receiver.phase]]\nminutes = 600\ndown = "refused"',
    );
    expect(summary).toMatchObject({ drainedAfterMs: null, messages: 20, waiting: 20 });
    expect(summary.receivers[0]?.longestWaitMs).toBeGreaterThan(40 * minute);
    expect(formatSummary(summary)).toContain('20 of 20 messages wait still after');
  });

  test('formatSummary() does not call through what was given up', () => {
    const { summary } = play(
      '[delivery]\nlifetimeHours = 1\n[[receiver]]\ndomain = "a.example"\nqueued = 2\n' +
        '[[receiver.phase]]\nminutes = 600\ndown = "refused"',
    );
    const text = formatSummary(summary);
    expect(text).toMatch(
      /^Of 2 messages none waits any more after .*; not all are through\.\n\na\.example: 2 messages, none left after/,
    );
    expect(text).toContain('0 delivered, 2 given up');
  });

  test('formatSummary() tells each receiver in words', () => {
    const { summary } = play('[[receiver]]\ndomain = "a.example"\nqueued = 2\n');
    expect(formatSummary(summary)).toBe(
      'All 2 messages are through after 1 s.\n\na.example: 2 messages, through after 1 s\n' +
        '  2 delivered; the longest wait 1 s\n' +
        '  2 attempts: 0 retries spent, 0 probes; put off without an attempt: 0\n' +
        '  1 connection at once at most; site: mx.a.example\n',
    );
  });
});
