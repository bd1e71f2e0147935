import { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { writeAtTurnEnd } from './turn-end.ts';

/** A socket that notes what goes out together. */
function socketOf(highWaterMark = 1000) {
  const out: string[] = [];
  const socket = new Writable({
    highWaterMark,
    write(chunk: Buffer, _encoding, done) {
      out.push(String(chunk));
      done();
    },
    writev(chunks, done) {
      out.push(chunks.map(({ chunk }) => String(chunk)).join('+'));
      done();
    },
  });
  return { socket, out };
}

test('what is written in one turn goes out together, at its end', async () => {
  const [a, b] = [socketOf(), socketOf()];
  writeAtTurnEnd(a.socket, 'one');
  writeAtTurnEnd(b.socket, 'other');
  writeAtTurnEnd(a.socket, 'two');
  expect([a.out, b.out]).toEqual([[], []]);
  await turn();
  expect([a.out, b.out]).toEqual([['one+two'], ['other']]);
  writeAtTurnEnd(a.socket, 'three');
  await turn();
  expect(a.out).toEqual(['one+two', 'three']);
});

test('what is too much to wait goes out at once, after what was written before', async () => {
  const { socket, out } = socketOf(10);
  writeAtTurnEnd(socket, 'small');
  writeAtTurnEnd(socket, 'large, large, large');
  expect(out).toEqual(['small+large, large, large']);
  writeAtTurnEnd(socket, 'next');
  await turn();
  expect(out).toEqual(['small+large, large, large', 'next']);
});

test('a socket that is closed before the end of the turn says what it had to say', async () => {
  const { socket, out } = socketOf();
  writeAtTurnEnd(socket, 'goodbye');
  socket.end();
  expect(out).toEqual(['goodbye']);
  await turn();
});

test('a socket that is gone at the end of the turn is no harm', async () => {
  const { socket, out } = socketOf();
  writeAtTurnEnd(socket, 'lost');
  socket.destroy();
  await turn();
  expect(out).toEqual([]);
});
