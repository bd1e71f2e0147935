import { readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import type { Resolver } from '../dns/resolver.ts';
import { socketDialler } from '../net/conversation.ts';
import { createDirectAgent } from '../store/delivery-agent.ts';
import { maildirPath } from '../store/maildir.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { scriptedResolver } from '../testing/scripted-resolver.ts';
import { sampleJob, sampleMessage, temporaryDirectory } from '../testing/store.ts';
import { turnstile } from '../util/turnstile.ts';
import { ConnectionPool } from './connections/pool.ts';
import { deliverRemotely } from './deliver.ts';
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
    {
      kind: 'deferred',
      status: '4.3.0',
      reason: expect.stringMatching(/are not those that were accepted/),
      rule: expect.stringMatching(/^our own copy of the message is damaged/),
      copyIsDamaged: true,
    },
  ]);
  const maildir = maildirPath(directory.path, 'ann@example.com');
  for (const part of ['tmp', 'new', 'cur']) expect(readdirSync(join(maildir, part))).toEqual([]);
});

test.each([
  ['changed', (path: string) => writeFileSync(path, 'Hallo.\r\n')],
  ['cut', (path: string) => truncateSync(path, 3)],
  ['lost', (path: string) => rmSync(path)],
])('no receiver is called for a message whose spool file was %s', async (_, damage) => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'spooled');
  const octets = Buffer.from('Hello.\r\n');
  writeFileSync(path, octets);
  const content = { kind: 'spool', path, sizeBytes: octets.length, sum: crc32(octets) } as const;
  const { message } = sampleMessage('Q1', { message: { content } });
  const resolver = scriptedResolver({});
  const attempt = () =>
    deliverRemotely(partsWith(resolver), message, [sampleJob('Q1')], new AbortController().signal);
  // The first step on the road out is a question to DNS, which says here that there is no such domain.
  await attempt();
  const asked = resolver.questions.length;
  expect(asked).toBeGreaterThan(0);
  damage(path);
  expect(await attempt()).toEqual({
    outcomes: [
      {
        kind: 'deferred',
        status: '4.3.0',
        phase: 'reading our copy of the message',
        reason: expect.stringContaining(path),
        rule: expect.stringMatching(/^our own copy of the message is damaged/),
        copyIsDamaged: true,
      },
    ],
    events: [],
  });
  expect(resolver.questions).toHaveLength(asked);
});

function partsWith(resolver: Resolver): Parameters<typeof deliverRemotely>[0] {
  const clock = fakeClock();
  return {
    resolver,
    route: {
      hostname: 'mx.example.com',
      isOurs: () => false,
      port: 25,
      allowPrivateAddresses: false,
      random: Math.random,
      clock,
    },
    send: { pool: new ConnectionPool({ dial: socketDialler({ clock }), clock, ehloName: 'mx.example.com' }) },
  };
}
