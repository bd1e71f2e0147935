import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../testing/store.ts';
import { createDeliveryAgent, type LocalDelivery } from './delivery-agent.ts';
import { maildirPath } from './maildir.ts';

function world(dataDir: string) {
  const agent = createDeliveryAgent();
  const delivery = (number: number, changes: Partial<LocalDelivery> = {}): LocalDelivery => ({
    maildir: maildirPath(dataDir, `user${number % 3}@example.net`),
    folder: 'Inbox',
    queueId: 'Q1',
    number,
    acceptedAt: 1_700_000_000_123,
    hostname: 'mx.example.net',
    inDoubt: false,
    fields: [Buffer.from('Return-Path: <>\r\n'), Buffer.from('Delivered-To: bob\r\n')],
    content: { kind: 'inline', bytes: Buffer.from(`Subject: ${number}\r\n\r\nHello.\r\n`) },
    ...changes,
  });
  return { agent, delivery, [Symbol.asyncDispose]: () => agent.close() };
}

test('deliver() of many at once: each message is in its mailbox, with its fields in front', async () => {
  await using directory = await temporaryDirectory();
  await using w = world(directory.path);
  const numbers = Array.from({ length: 200 }, (_, number) => number);
  const outcomes = await Promise.all(numbers.map((number) => w.agent.deliver(w.delivery(number))));
  for (const [number, outcome] of outcomes.entries()) {
    if (outcome.kind !== 'delivered') throw new Error(outcome.text);
    expect(await readFile(outcome.file, 'utf8')).toBe(
      `Return-Path: <>\nDelivered-To: bob\nSubject: ${number}\n\nHello.\n`,
    );
  }
});

test('deliver() looks for a job in doubt, and streams a large message from the spool', async () => {
  await using directory = await temporaryDirectory();
  await using w = world(directory.path);
  const first = await w.agent.deliver(w.delivery(0));
  expect(await w.agent.deliver(w.delivery(0, { inDoubt: true }))).toEqual({ ...first, repeated: true });
  const octets = Buffer.from(randomBytes(100_000).toString('base64').replace(/.{76}/g, '$&\r\n'));
  const path = join(directory.path, 'Q1');
  await writeFile(path, octets);
  const content = { kind: 'spool', path, sizeBytes: octets.length } as const;
  const outcome = await w.agent.deliver(w.delivery(1, { fields: [], content }));
  if (outcome.kind !== 'delivered') throw new Error(outcome.text);
  expect(await readFile(outcome.file, 'latin1')).toBe(octets.toString('latin1').replaceAll('\r\n', '\n'));
});

test('deliver() delivers nothing where the content is not what was accepted', async () => {
  await using directory = await temporaryDirectory();
  await using w = world(directory.path);
  const path = join(directory.path, 'Q1');
  await writeFile(path, 'short');
  const content = { kind: 'spool', path, sizeBytes: 6 } as const;
  const outcome = await w.agent.deliver(w.delivery(0, { content }));
  expect(outcome).toEqual({ kind: 'damaged', text: expect.stringContaining('5 octets of 6') });
});

test('what was under way when the agent ends has failed, and the next delivery finds a new one', async () => {
  await using directory = await temporaryDirectory();
  await using w = world(directory.path);
  const interrupted = w.agent.deliver(w.delivery(0, { inDoubt: true }));
  await w.agent.close();
  expect(await interrupted).toMatchObject({ kind: 'failed', text: expect.stringContaining('thread') });
  expect(await w.agent.deliver(w.delivery(0, { inDoubt: true }))).toMatchObject({ kind: 'delivered' });
});
