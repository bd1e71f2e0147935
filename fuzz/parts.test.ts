import { expect, test } from 'vitest';
import { Given } from '../tools/command-line.ts';
import { describeFinding, escaped } from './finding.ts';
import { minimise } from './minimise.ts';
import { longestInput, mutate } from './mutate.ts';
import { readOptions, toolFor } from './options.ts';
import { cuts, packetsOf } from './packets.ts';
import { Random } from './random.ts';

const names = ['dns-reply', 'dns-query', 'dns', 'pop3'];
const read = (...args: string[]) =>
  readOptions(new Given(toolFor(names), args), { freshSeed: 5, targets: names });

test('readOptions() reads minutes, also parts of them, and the rest', () => {
  expect(read()).toEqual({ milliseconds: 60_000, seed: 5, json: false, targets: names });
  expect(read('--minutes', '0.5', '--seed', '7', '--json', '--target', 'dns-')).toEqual({
    milliseconds: 30_000,
    seed: 7,
    json: true,
    targets: ['dns-reply', 'dns-query'],
  });
  expect(read('--target', 'dns').targets).toEqual(['dns']);
});

test.each([
  [['--minutes', '0'], '--minutes is a number above 0'],
  [['--minutes', 'x'], '--minutes is a number above 0'],
  [['--seed', 'x'], '--seed is a whole number'],
  [['--what'], 'there is no option --what'],
  [['--input', 'AA=='], '--input wants --target'],
  [['--target', 'imap'], 'no target begins with "imap"'],
])('readOptions() refuses %s', (args, message) => {
  expect(() => read(...args)).toThrow(message);
});

test('Random gives the same for the same names, and other things for others', () => {
  const drawn = (...names: string[]) => new Random(1, ...names).octets(20).toString('hex');
  expect(drawn('a', '1')).toBe(drawn('a', '1'));
  expect(drawn('a', '1')).not.toBe(drawn('a', '2'));
});

test('mutate() never gives more than longestInput', () => {
  const seed = Buffer.alloc(60_000, 'abc');
  for (let number = 0; number < 500; number++)
    expect(mutate(seed, new Random(number), seed).length).toBeLessThanOrEqual(longestInput);
});

test('minimise() keeps what matters, and nothing else', async () => {
  const input = Buffer.from(`${'x'.repeat(500)}<${'y'.repeat(500)}>${'z'.repeat(500)}`);
  const small = await minimise(input, async (candidate) => /<.+>/.test(candidate.toString()));
  expect(small.toString()).toBe('<a>');
});

test('packetsOf() and all cuts lose nothing', () => {
  const input = Buffer.from(`one\x1e\x1etwo${'x'.repeat(70_000)}`);
  const packets = packetsOf(input);
  expect(packets.map(({ length }) => length)).toEqual([3, 0, 70_003]);
  expect(packetsOf(input, 2).map(({ length }) => length)).toEqual([3, 70_004]);
  for (const [, cut] of cuts)
    for (const packet of packets) expect(Buffer.concat(cut(packet))).toEqual(packet);
});

test('describeFinding() gives a test case that can be copied', () => {
  const input = Buffer.from("a\r\n\0'\xff", 'latin1');
  expect(escaped(input)).toBe("a\\r\\n\\x00\\'\\xff");
  const text = describeFinding({ target: 'pop3', kind: 'throw', message: 'oh', input });
  expect(text).toContain('FOUND pop3 (throw): oh');
  expect(text).toContain(`Buffer.from('${input.toString('base64')}', 'base64')`);
  expect(text).toContain(`--target pop3 --input ${input.toString('base64')}`);
});

test('describeFinding() prints how a long run is made, not the run', () => {
  const input = Buffer.alloc(200_000, 'abc');
  const text = describeFinding({ target: 'pop3', kind: 'slow', message: 'oh', input });
  expect(text).toContain("test case: Buffer.alloc(200000, Buffer.from('YWJj', 'base64'))");
  expect(text.length).toBeLessThan(1000);
});
