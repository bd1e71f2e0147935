import { expect, test } from 'vitest';
import { parts, readOptions } from './options.ts';

const chosen = (...args: string[]) => [...(readOptions(args, 1)?.chosen ?? ['none'])];

test('readOptions() chooses everything, or what fits into some seconds, or what is named', () => {
  expect(chosen()).toEqual(parts);
  expect(chosen('--seconds', '40')).toEqual(['points', 'kill', 'faults']);
  expect(chosen('--seconds', '40', '--plants')).toEqual(['points', 'kill', 'faults', 'plants']);
  expect(chosen('kill', 'plants')).toEqual(['kill', 'plants']);
});

test.each([['--secands=1'], ['--seconds=0'], ['--points=x'], ['--seed=half'], ['everything']])(
  'readOptions() refuses %s',
  (arg) => {
    expect(readOptions([arg], 1)).toBeUndefined();
  },
);

test('readOptions() takes a fresh seed where none is given', () => {
  expect(readOptions([], 17)?.seed).toBe(17);
  expect(readOptions(['--seed', '3'], 17)?.seed).toBe(3);
});
