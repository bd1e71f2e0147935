import { readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { sampleEvent, sampleJob, sampleMessage, temporaryStore, textOf } from '../../testing/store.ts';
import { readContent } from '../content.ts';
import type { Content } from '../message.ts';
import type { Store } from '../store.ts';

const claimAll = { now: 5000, limit: 100, leaseMs: 60_000 };

test('accept() stores a message that claim() gives back unchanged, across a restart', async () => {
  await using world = await temporaryStore();
  const full = sampleMessage('Q1', {
    message: {
      submitter: 'sender@example.com',
      eightBit: true,
      smtputf8: true,
      failuresTo: 'nobody',
      messageId: '<1@example.com>',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    },
    jobs: [
      sampleJob('Q1', { originalRecipient: 'info@example.net', lastError: '450 later' }),
      sampleJob('Q1', {
        number: 1,
        recipient: 'b@example.com',
        kind: 'local',
        destination: '',
        folder: 'Junk',
      }),
    ],
  });
  await world.store.accept(full);
  const plain = sampleMessage('Q2', { message: { reversePath: '' } });
  await world.store.accept(plain);
  const store = await world.reopen();
  expect(await store.claim(claimAll)).toEqual([
    { message: full.message, jobs: full.jobs },
    { message: plain.message, jobs: plain.jobs },
  ]);
});

test('accept() takes a copy: a buffer that is reused afterwards does not change the message', async () => {
  await using world = await temporaryStore();
  const bytes = Buffer.from('Subject: a\r\n\r\nright\r\n');
  const accepted = world.store.accept(
    sampleMessage('Q1', { message: { content: { kind: 'inline', bytes } } }),
  );
  bytes.fill('x');
  await accepted;
  const [claimed] = await world.store.claim(claimAll);
  expect(String(claimed?.message.content.kind === 'inline' && claimed.message.content.bytes)).toContain(
    'right',
  );
});

test('accept() refuses a second message of the same queue id and nothing else that shares its commit', async () => {
  await using world = await temporaryStore();
  const ids = ['Q1', 'Q2', 'Q2', 'Q3'];
  const results = await Promise.allSettled(ids.map((id) => world.store.accept(sampleMessage(id))));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  const { jobs } = await world.store.listJobs({ limit: 10 });
  expect(jobs.map(({ queueId }) => queueId)).toEqual(['Q1', 'Q2', 'Q3']);
});

test('settle() removes done jobs, defers others, records events and accepts reports, all at once', async () => {
  await using world = await temporaryStore();
  const jobs = [sampleJob('Q1'), sampleJob('Q1', { number: 1, recipient: 'other@example.net' })];
  await world.store.accept(sampleMessage('Q1', { jobs, claimed: true }));
  await world.store.settle({
    queueId: 'Q1',
    results: [
      { number: 0, result: 'done' },
      { number: 1, result: 'retry', nextAttemptAt: 7000, lastError: '450 4.2.0 busy' },
    ],
    events: [sampleEvent('Q1', { event: 'deferred', recipient: 'other@example.net' })],
    reports: [sampleMessage('Q2', { message: { reversePath: '' }, events: [sampleEvent('Q2')] })],
  });
  const { jobs: left } = await world.store.listJobs({ limit: 10 });
  expect(left).toMatchObject([
    {
      queueId: 'Q1',
      number: 1,
      attempts: 1,
      nextAttemptAt: 7000,
      lastError: '450 4.2.0 busy',
      claimed: false,
    },
    { queueId: 'Q2', number: 0, reversePath: '' },
  ]);
  expect(await world.store.trace({ queueId: 'Q1', limit: 1 })).toMatchObject([{ event: 'deferred' }]);
  expect(await world.store.trace({ queueId: 'Q2', limit: 1 })).toMatchObject([{ event: 'accepted' }]);
});

test('settle() writes nothing of a settlement whose report is refused', async () => {
  await using world = await temporaryStore();
  await world.store.accept(sampleMessage('Q0', { claimed: true }));
  await world.store.accept(sampleMessage('Q1', { claimed: true }));
  const settlement = { queueId: 'Q1', results: [{ number: 0, result: 'done' as const }], events: [] };
  await expect(world.store.settle({ ...settlement, reports: [sampleMessage('Q0')] })).rejects.toThrow();
  expect((await world.store.listJobs({ limit: 10 })).jobs).toMatchObject([
    { queueId: 'Q0' },
    { queueId: 'Q1', claimed: true },
  ]);
});

test('settle() lets the spool file be used again with the last job; what is kept goes when the store is closed', async () => {
  await using world = await temporaryStore();
  const content = await spooled(world.store, 'large body\r\n');
  const jobs = [sampleJob('Q1'), sampleJob('Q1', { number: 1 })];
  await world.store.accept(sampleMessage('Q1', { message: { content, sizeBytes: 29 + 12 }, jobs }));
  const [claimed] = await world.store.claim(claimAll);
  expect(await textOf(readContent(claimed?.message.content ?? content))).toBe('large body\r\n');
  const settle = (number: number) =>
    world.store.settle({ queueId: 'Q1', results: [{ number, result: 'done' }], events: [], reports: [] });
  await settle(0);
  expect(pathOf(await spooled(world.store, 'another'))).not.toBe(pathOf(content));
  await settle(1);
  expect(pathOf(await spooled(world.store, 'one more'))).toBe(pathOf(content));
  await world.store.close();
  expect(await readdir(join(world.dataDir, 'spool'))).toHaveLength(2); // no message has them yet
  await (await world.reopen()).close();
  expect(await readdir(join(world.dataDir, 'spool'))).toEqual([]);
});

test('openStore() sweeps the spool of files that no message names', async () => {
  await using world = await temporaryStore();
  const content = await spooled(world.store, 'kept');
  await world.store.accept(sampleMessage('Q1', { message: { content } }));
  await spooled(world.store, 'its transaction never came');
  await writeFile(join(world.dataDir, 'spool', 'unfinished'), 'octets');
  await world.reopen();
  expect(await readdir(join(world.dataDir, 'spool'))).toEqual([basename(pathOf(content))]);
});

async function spooled({ spool }: Store, text: string): Promise<Content> {
  const writer = await spool.begin();
  await writer.write(Buffer.from(text));
  return writer.commit();
}

const pathOf = (content: Content): string => (content.kind === 'spool' ? content.path : '');

test('what the sender asked for and what an attempt leaves come back with the claim', async () => {
  await using world = await temporaryStore();
  const requests = { requireTls: true, envid: 'QQ314159', ret: 'headers' } as const;
  const job = sampleJob('Q1', { requests: { notify: ['success', 'delay'], orcpt: 'rfc822;r@example.net' } });
  await world.store.accept(sampleMessage('Q1', { message: { requests }, jobs: [job] }));
  const claimed = await world.store.claim({ now: 1000, limit: 10, leaseMs: 1000 });
  expect(claimed).toMatchObject([{ message: { requests }, jobs: [{ requests: job.requests }] }]);

  const memo = { source: '192.0.2.1', told: ['delay'] } as const;
  const again = { number: 0, result: 'retry', nextAttemptAt: 2000, lastError: 'later' } as const;
  const settle = (result: typeof again & { memo?: typeof memo }) =>
    world.store.settle({ queueId: 'Q1', results: [result], events: [], reports: [] });
  await settle({ ...again, memo });
  const [first] = await world.store.claim({ now: 2000, limit: 10, leaseMs: 1000 });
  expect(first?.jobs[0]).toMatchObject({ memo, requests: job.requests });
  await settle(again);
  const [second] = await (await world.reopen()).claim({ now: 2000, limit: 10, leaseMs: 1000 });
  expect(second?.jobs[0]?.memo).toBeUndefined();
});

test('settle() sends a job back to an account here, in the transaction that ends it elsewhere', async () => {
  await using world = await temporaryStore();
  const jobs = [
    sampleJob('Q1', { recipient: 'ann@example.net', originalRecipient: 'info@example.com', attempts: 3 }),
    sampleJob('Q1', { number: 1, recipient: 'eve@example.net' }),
  ];
  await world.store.accept({ ...sampleMessage('Q1', { jobs }), claimed: true });
  const memo = { returned: { from: 'ann@example.net', reason: '550 no' } };
  const back = { result: 'retry', nextAttemptAt: 3000, lastError: '550 no', memo } as const;
  const returned = { account: 'bob@example.com', expiresAt: 9000 };
  await world.store.settle({
    queueId: 'Q1',
    results: [
      { number: 0, ...back, returned },
      { number: 1, result: 'done' },
    ],
    events: [],
    reports: [],
    holdUntil: 100_000,
  });
  const store = await world.reopen();
  expect(await store.nextDue()).toBe(3000);
  const [claimed] = await store.claim(claimAll);
  expect(claimed?.jobs).toEqual([
    {
      ...sampleJob('Q1'),
      recipient: 'bob@example.com',
      originalRecipient: 'info@example.com',
      kind: 'local',
      destination: '',
      folder: 'Junk',
      attempts: 0,
      nextAttemptAt: 3000,
      expiresAt: 9000,
      lastError: '550 no',
      memo,
    },
  ]);
});
