import { expect, test } from 'vitest';
import { Given } from '../tools/command-line.ts';
import type { Bench } from './bench.ts';
import { parseCommandLine, toolFor } from './command-line.ts';

const named = (name: string): Bench => ({ name, description: '', run: async () => ({ rows: [], text: '' }) });
const benches = [named('relay'), named('local')];
const parse = (...args: string[]) => parseCommandLine(new Given(toolFor(benches), args), benches);
const namesOf = (...args: string[]) => parse(...args).chosen.map(({ name }) => name);

test('parseCommandLine() takes benchmarks in the order of the table', () => {
  expect(namesOf('local', 'relay')).toEqual(['relay', 'local']);
  expect(namesOf('all')).toEqual(['relay', 'local']);
});

test('parseCommandLine() leaves open what is not given', () => {
  expect(parse('relay').options).toEqual({ json: false, peers: 'tuned' });
});

test('parseCommandLine() reads every option', () => {
  const words = 'relay --json --peers all --messages 10 --size 1024 --sessions 20 --rounds 3 --seconds 60';
  expect(parse(...words.split(' ')).options).toEqual({
    json: true,
    peers: 'all',
    messages: 10,
    sizeBytes: 1024,
    sessions: 20,
    rounds: 3,
    seconds: 60,
  });
});

test.each([
  ['no benchmark', [], 'name a benchmark: relay, local, all'],
  ['an unknown benchmark', ['realy'], '"realy" is no benchmark'],
  ['an unknown choice of peers', ['relay', '--peers', 'some'], '--peers is "tuned" or "all"'],
  ['a count of nothing', ['relay', '--rounds', '0'], '--rounds is a whole number above 0'],
  ['half a message', ['relay', '--messages', '0.5'], '--messages is a whole number above 0'],
  ['an unknown option', ['relay', '--fast'], 'there is no option --fast'],
])('parseCommandLine() refuses %s', (_, args, message) => {
  expect(() => parse(...args)).toThrow(message);
});
