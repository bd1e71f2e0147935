import { expect, test, vi } from 'vitest';
import { Given, helpOf, runTool, type Tool } from './command-line.ts';

const tool: Tool<'seconds' | 'kill-rounds' | 'json'> = {
  command: 'npm run toy',
  purpose: 'Plays.',
  words: {
    title: 'Games',
    synopsis: '[GAME …]',
    known: [
      ['chess', 'with a board'],
      ['go', 'with stones'],
    ],
  },
  options: {
    seconds: { value: 'N', meaning: 'How long', otherwise: 'for ever', example: '--seconds 40' },
    'kill-rounds': { value: 'N', meaning: 'How often', otherwise: '200', example: '--kill-rounds 5' },
    json: { meaning: 'For programs', example: '--json' },
  },
};
const { words: _, ...wordless } = tool;

const read = (...args: string[]) => new Given(tool, args);

test('Given reads words, values in both forms, and what takes none', () => {
  const given = read('chess', '--seconds', '1.5', '--kill-rounds=3', '--json', 'go');
  expect(given.words).toEqual(['chess', 'go']);
  expect(given.number('seconds')).toBe(1.5);
  expect(given.count('kill-rounds')).toBe(3);
  expect(given.has('json')).toBe(true);
  expect(read().has('json')).toBe(false);
  expect(read().count('kill-rounds')).toBeUndefined();
  expect(read('--seconds=-7').whole('seconds')).toBe(-7);
});

test.each([
  [['--fast'], 'there is no option --fast'],
  [['-x'], 'there is no option -x'],
  [['--rounds', '5'], 'there is no option --rounds: did you mean --kill-rounds?'],
  [['--seconds'], '--seconds wants a value, for instance --seconds 40'],
  [['--seconds', '--json'], '--seconds wants a value, for instance --seconds 40'],
  [['--json=yes'], '--json takes no value, and has "yes"'],
])('Given refuses %s', (args, message) => {
  expect(() => read(...args)).toThrow(message);
});

test('Given refuses words where there are none', () => {
  expect(() => new Given(wordless, ['chess'])).toThrow('"chess" has no place here');
});

test.each(['0', '-1', 'x', '', 'Infinity'])('number() refuses "%s"', (text) => {
  expect(() => read(`--seconds=${text}`).number('seconds')).toThrow(
    `--seconds is a number above 0, not "${text}"`,
  );
});

test('helpOf() has each word, and each option with its meaning, default and an example', () => {
  expect(helpOf(tool)).toBe(`usage: npm run toy -- [GAME …] [OPTION …]

Plays.

Games:
  chess  with a board
  go     with stones

Options:
  --seconds N
      How long.
      Default: for ever. Example: npm run toy -- --seconds 40

  --kill-rounds N
      How often.
      Default: 200. Example: npm run toy -- --kill-rounds 5

  --json
      For programs.
      Default: off. Example: npm run toy -- --json`);
});

/** What a run prints where, and its exit code. */
async function played(...args: string[]) {
  const out = vi.spyOn(console, 'log').mockReturnValue();
  const err = vi.spyOn(console, 'error').mockReturnValue();
  try {
    const code = await runTool(tool, args, {
      read: (given) => given.count('kill-rounds') ?? 0,
      run: async (rounds) => rounds,
    });
    return { code, out: out.mock.calls.join(), err: err.mock.calls.join() };
  } finally {
    vi.restoreAllMocks();
  }
}

test('runTool() runs, or helps on standard output, or says on standard error what is wrong and where help is', async () => {
  expect(await played('--kill-rounds', '3')).toEqual({ code: 3, out: '', err: '' });
  for (const args of [['--help'], ['-h'], ['chess', '--what', '--help']])
    expect(await played(...args)).toEqual({ code: 0, out: helpOf(tool), err: '' });
  expect(await played('--kill-rounds', 'x')).toEqual({
    code: 64,
    out: '',
    err: 'npm run toy: --kill-rounds is a whole number above 0, not "x"\nAll that there is: npm run toy -- --help',
  });
});
