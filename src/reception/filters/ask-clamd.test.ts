import { expect, test } from 'vitest';
import { completeFilter } from '../../config/filter.ts';
import { FilterError, type FilterStream } from '../../filter/stream.ts';
import { fakeClock } from '../../testing/fake-clock.ts';
import { askClamd } from './ask-clamd.ts';

const down = new FilterError('down', 'it closed the connection');

/** Breaks off at the first octet, or says this. */
const stream = (says: string | undefined): FilterStream => ({
  write: () => (says === undefined ? Promise.reject(down) : Promise.resolve()),
  read: async () => Buffer.from(says ?? ''),
  hasInput: false,
  close: () => undefined,
});

test.each([
  ['and answers otherwise', 'PONG\0', { unknown: 'tooLarge', whenDown: 'accept' }],
  ['and is not there any more', undefined, { unknown: 'down', whenDown: 'defer' }],
  ['and is somebody else', 'HELLO\0', { unknown: 'lied', whenDown: 'defer' }],
])('a clamd that breaks off while it is sent a message, %s', async (_, says, fact) => {
  const answers = [undefined, says];
  const open = async () => {
    const next = stream(answers.shift());
    return next;
  };
  const filter = completeFilter({ kind: 'clamd', whenDown: 'defer' });
  const content = { kind: 'inline', bytes: Buffer.from('Subject: x\r\n\r\n') } as const;
  expect(await askClamd({ open, clock: fakeClock() }, filter, content)).toMatchObject(fact);
});
