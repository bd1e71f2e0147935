import { expect, test } from 'vitest';
import { Given } from '../tools/command-line.ts';
import { parts, readOptions, tool } from './options.ts';

const read = (...args: string[]) => readOptions(new Given(tool, args), 17);
const chosen = (...args: string[]) => [...read(...args).chosen];

test('readOptions() chooses everything, or what fits into some seconds, or what is named', () => {
  expect(chosen()).toEqual(parts);
  expect(chosen('--seconds', '40')).toEqual(['points', 'kill', 'faults']);
  expect(chosen('--seconds', '40', '--plants')).toEqual(['points', 'kill', 'faults', 'plants']);
  expect(chosen('kill', 'plants')).toEqual(['kill', 'plants']);
});

test.each([
  ['--secands=1', 'there is no option --secands'],
  ['--rounds=5', 'there is no option --rounds: did you mean --kill-rounds?'],
  ['--seconds=0', '--seconds is a number above 0, not "0"'],
  ['--points=x', '--points is a whole number above 0, not "x"'],
  ['--kill-rounds=1.5', '--kill-rounds is a whole number above 0, not "1.5"'],
  ['--seed=half', '--seed is a whole number, not "half"'],
  ['everything', '"everything" is no part. There are: points, kill, faults, plants'],
])('readOptions() refuses %s', (arg, message) => {
  expect(() => read(arg)).toThrow(message);
});

test('readOptions() takes a fresh seed where none is given', () => {
  expect(read().seed).toBe(17);
  expect(read('--seed', '3').seed).toBe(3);
});
