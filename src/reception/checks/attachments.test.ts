import { expect, test } from 'vitest';
import { createSpool } from '../../store/spool.ts';
import { fakeClock } from '../../testing/fake-clock.ts';
import { policyOf } from '../../testing/policies.ts';
import { TestReception } from '../../testing/reception.ts';
import { temporaryDirectory } from '../../testing/store.ts';
import { idleMs } from './attachment-reader.ts';

const bob = 'bob@example.com';
const refused = /^550 5\.7\.1 Refused: attachments of this kind/;
const line = `${'x'.repeat(76)}\r\n`;

/** A message of about so many octets, with a program at its end. */
const withProgram = (sizeBytes: number) =>
  `From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n${line.repeat(sizeBytes / line.length)}` +
  '--b\r\nContent-Disposition: attachment; filename=a.exe\r\n\r\nMZ\r\n--b--\r\n';

test.each([
  ['a small message without a thread', 1000, false],
  ['one that is in a file, and not large, neither', 200_000, false],
  ['a large one on a thread', 300_000, true],
])('%s', async (_, sizeBytes, onThread) => {
  await using directory = await temporaryDirectory();
  const clock = fakeClock();
  const spool = createSpool({ dataDir: directory.path, clock });
  const reception = new TestReception({
    via: 'smtp',
    accounts: [bob],
    policies: [policyOf([['attachment:exe', 'reject']])],
    clock,
    spool,
  });
  expect(await reception.send({ from: 'a@b.example', to: bob, content: withProgram(sizeBytes) })).toMatch(
    refused,
  );
  expect(clock.planned.includes(clock.now() + idleMs)).toBe(onThread);
  clock.advance(idleMs);
  await spool.close();
});
