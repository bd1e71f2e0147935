import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommand } from '../testing/command-line.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'posthorn-simulate-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const file = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};

const posthorn = (...args: string[]) => runCommand(['simulate', ...args], { cwd: directory });

describe('posthorn simulate', () => {
  const scenario = '[[receiver]]\ndomain = "a.example"\nqueued = 30\n';

  test('tells when the queue drains, in words, as JSON and as a picture', async () => {
    const path = file('s.toml', scenario);
    const svg = join(directory, 's.svg');
    const { exitCode, out } = await posthorn('--scenario', path, '--svg', svg);
    expect([exitCode, out]).toEqual([0, expect.stringMatching(/^All 30 messages are through after \d+ s\./)]);
    expect(readFileSync(svg, 'utf8')).toMatch(/^<\?xml.*<\/svg>\n$/s);
    const json = JSON.parse((await posthorn('--scenario', path, '--json')).out);
    expect(json).toMatchObject({
      messages: 30,
      waiting: 0,
      receivers: [{ domain: 'a.example', retries: 0 }],
    });
  });

  test('tells what is wrong with a scenario by line, with a remedy', async () => {
    const { exitCode, err } = await posthorn('--scenario', file('bad.toml', `${scenario}latency = 4\n`));
    expect(exitCode).toBe(65);
    expect(err).toMatch(
      /bad\.toml:4: receiver\[1\]\.latency: there is no such key\n {4}Did you mean latencyMs\?/,
    );
  });

  test('replays a recording, and tells where it goes another way', async () => {
    const head = '{"posthorn":"schedule","version":1,"concurrency":2,"maxHeld":9}\n';
    const step = (limit: number) =>
      `{"now":5,"event":{"type":"tick"},"commands":[{"type":"claim","limit":${limit}}]}\n`;
    const same = await posthorn('--replay', file('same.jsonl', head + step(5)));
    expect([same.exitCode, same.out]).toEqual([0, '1 step: the same commands each time.\n']);
    const other = await posthorn('--replay', file('other.jsonl', head + step(4)));
    expect(other.exitCode).toBe(1);
    expect(other.out).toContain('Line 2 goes another way now.\nthen: [{"type":"claim","limit":4}]');
  });

  test.each([
    ['neither', [], 64, /--scenario FILE or --replay FILE/],
    [
      'a recording that is none',
      ['--replay', 'x.jsonl'],
      65,
      /is no recording of the schedule: line 1 is not JSON/,
    ],
    ['a recording that is not there', ['--replay', 'none.jsonl'], 66, /there is no .*none\.jsonl/],
    ['a scenario that is not there', ['--scenario', 'none.jsonl'], 66, /there is no .*none\.jsonl/],
    ['both', ['--scenario', 'x.jsonl', '--replay', 'x.jsonl'], 64, /one at a time/],
  ])('of %s says what to do', async (_, args, exitCode, text) => {
    file('x.jsonl', 'hello\n');
    const result = await posthorn(
      ...args.map((arg) => (arg.endsWith('.jsonl') ? join(directory, arg) : arg)),
    );
    expect([result.exitCode, result.err]).toEqual([exitCode, expect.stringMatching(text)]);
  });
});
