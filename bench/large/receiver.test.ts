import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { headerOf } from './envelope.ts';
import { createLetters } from './letters.ts';
import { Receiver } from './receiver.ts';

const letters = createLetters(1000);

/** What a receiver says and finds when it gets `octets` in pieces of `length`. */
function play(octets: Buffer, length: number) {
  const found = { said: '', letters: [] as [number | undefined, string][], ended: false };
  const receiver = new Receiver({
    say: (text) => {
      found.said += text;
    },
    end: () => {
      found.ended = true;
    },
    received: (...letter) => found.letters.push(letter),
  });
  for (let at = 0; at < octets.length; at += length) receiver.receive(octets.subarray(at, at + length));
  return found;
}

function session(numbers: number[]): Buffer {
  const transactions = numbers.flatMap((number) => [
    Buffer.from(
      `MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.net>\r\nDATA\r\nReceived: by us\r\n${headerOf(number)}`,
    ),
    ...letters.body(number, 'wire'),
    Buffer.from('.\r\n'),
  ]);
  return Buffer.concat([Buffer.from('EHLO us\r\n'), ...transactions, Buffer.from('QUIT\r\n')]);
}

test.each([1, 2, 3, 7, 1000, 1e6])(
  'Receiver finds letters and their bodies in pieces of %d octets',
  (length) => {
    const { said, letters: found, ended } = play(session([3, 4]), length);
    expect(found).toEqual([
      [3, letters.hash(3, 'wire')],
      [4, letters.hash(4, 'wire')],
    ]);
    expect(said.match(/^\d+/gm)?.join(' ')).toBe('220 250 250 250 250 250 250 354 250 250 250 354 250 221');
    expect(ended).toBe(true);
  },
);

test('Receiver does not take a doubled dot for the end', () => {
  const body = '..\r\n..x\r\n';
  const octets = Buffer.from(`DATA\r\nSubject: letter 1\r\n\r\n${body}.\r\n`);
  expect(play(octets, 1).letters).toEqual([[1, createHash('sha256').update(body).digest('hex')]]);
});
