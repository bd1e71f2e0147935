import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDirectAgent } from '../store/delivery-agent.ts';
import { maildirPath } from '../store/maildir.ts';
import { sampleJob, sampleMessage, temporaryDirectory } from '../testing/store.ts';
import { turnstile } from '../util/turnstile.ts';
import { deliverLocally } from './local.ts';

test('a message whose octets the disk has changed is not delivered, but deferred with the reason', async () => {
  await using directory = await temporaryDirectory();
  const parts = {
    dataDir: directory.path,
    hostname: 'mx.example.com',
    agent: createDirectAgent(),
    turns: turnstile(1),
  };
  const { message } = sampleMessage('Q1', { message: { content: { kind: 'damaged', sizeBytes: 25 } } });
  const job = sampleJob('Q1', { kind: 'local', recipient: 'ann@example.com', destination: '' });
  const { outcomes } = await deliverLocally(parts, message, [job]);
  expect(outcomes).toMatchObject([
    { kind: 'deferred', status: '4.3.0', reason: expect.stringMatching(/are not those that were accepted/) },
  ]);
  const maildir = maildirPath(directory.path, 'ann@example.com');
  for (const part of ['tmp', 'new', 'cur']) expect(readdirSync(join(maildir, part))).toEqual([]);
});
