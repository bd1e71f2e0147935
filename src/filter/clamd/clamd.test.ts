import { describe, expect, test } from 'vitest';
import { Deadline, FilterError, type FilterStream } from '../stream.ts';
import { ask, readAnswer, scan } from './clamd.ts';

const deadline = () => new Deadline(() => 0, { stageMs: 1000, totalMs: 5000 });

/** Says `answer` when it has heard `after` octets, a piece at a time. */
function clamd(answer: readonly string[], after: number) {
  const heard: Buffer[] = [];
  const waiting = answer.map((each) => Buffer.from(each));
  const said = () => heard.reduce((sum, { length }) => sum + length, 0);
  const stream: FilterStream = {
    async write(pieces) {
      heard.push(...pieces);
    },
    async read() {
      const piece = waiting.shift();
      if (piece === undefined) throw new FilterError('timeout', 'no answer');
      return piece;
    },
    get hasInput() {
      return waiting.length > 0 && said() >= after;
    },
    close: () => undefined,
  };
  return { stream, heard: () => Buffer.concat(heard) };
}

async function* content(...pieces: string[]) {
  for (const piece of pieces) yield Buffer.from(piece);
}

describe('scan()', () => {
  test('sends pieces with their lengths, and an empty one at the end', async () => {
    const peer = clamd(['stream: ', 'OK\0'], 1000);
    expect(await scan(peer.stream, content('abc', 'de'), deadline())).toBe('clean');
    expect(peer.heard().toString('latin1')).toBe('zINSTREAM\0\0\0\0\x03abc\0\0\0\x02de\0\0\0\0');
  });

  test('stops where clamd has heard enough', async () => {
    const peer = clamd(['INSTREAM size limit exceeded. ERROR\0'], 70_000);
    expect(await scan(peer.stream, content('a'.repeat(500_000)), deadline())).toBe('tooLarge');
    expect(peer.heard().length).toBeLessThan(140_000);
  });

  test('does not listen for ever to an answer without an end', async () => {
    const peer = clamd(Array(100).fill('x'.repeat(100)), 1e9);
    await expect(scan(peer.stream, content('a'), deadline())).rejects.toMatchObject({ kind: 'lied' });
  });
});

describe('readAnswer()', () => {
  test.each([
    ['stream: OK', 'clean'],
    ['stream: Eicar-Test-Signature FOUND', { malware: 'Eicar-Test-Signature' }],
    ['stream: Evil\u202e\u0007 name FOUND', { malware: 'Evil  name' }],
  ])('%j', (text, answer) => expect(readAnswer(text)).toEqual(answer));

  test('an error is no answer', () => {
    expect(() => readAnswer("Can't allocate memory ERROR")).toThrow('it cannot scan the message');
  });

  test.each(['', 'OK', 'stream: FOUND', 'stream: x OK', 'UNKNOWN COMMAND', 'FOUND'])(
    '%j is a lie',
    (text) => {
      expect(() => readAnswer(text)).toThrow(FilterError);
    },
  );
});

test('ask() reads one line', async () => {
  const peer = clamd(['ClamAV 1.4.6\0'], 0);
  expect(await ask(peer.stream, 'VERSION', deadline())).toBe('ClamAV 1.4.6');
  expect(peer.heard().toString()).toBe('zVERSION\0');
});
