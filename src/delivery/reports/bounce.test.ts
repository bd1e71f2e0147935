import { expect, test } from 'vitest';
import { Directory } from '../../queue/directory.ts';
import type { Queue } from '../../queue/queue.ts';
import type { JobRow } from '../../store/job.ts';
import { fakeClock } from '../../testing/fake-clock.ts';
import { sampleJob, sampleMessage } from '../../testing/store.ts';
import { bounce } from './bounce.ts';

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

type Settled = Parameters<Queue['settle']>[0];

/** What the sender is told of a job that is bounced. */
async function toldOf(changes: Partial<JobRow>): Promise<string> {
  const content = (await settledOf(changes))?.reports[0]?.message.content;
  return content?.kind === 'inline' ? content.bytes.toString() : '';
}

async function settledOf(changes: Partial<JobRow>): Promise<Settled | undefined> {
  const settled: Settled[] = [];
  const directory = new Directory({
    domains: [{ name: 'example.com' }],
    store: {
      findAccount: async (address) => ({ address, passwordHash: '', createdAt: 0 }),
      findAlias: async () => undefined,
      firstAccount: async () => undefined,
      listAliases: async () => [],
    },
  });
  let count = 0;
  const report = {
    hostname: 'mx.example.com',
    directory,
    signers: new Map(),
    nextQueueId: () => `R${count++}`,
    clock: fakeClock(),
  };
  const { message } = sampleMessage('Q1', { message: { traceparent } });
  const claimed = { message, jobs: [sampleJob('Q1', changes)] };
  await bounce({ settle: async (each) => void settled.push(each), report }, claimed, { by: 'root' });
  return settled[0];
}

test('bounce() is part of the trace of the message, and so is what it tells', async () => {
  const settled = await settledOf({});
  expect(settled?.traceparent).toBe(traceparent);
  expect(settled?.reports.map(({ message }) => message.traceparent)).toEqual([traceparent, traceparent]);
});

test('bounce() tells the sender that it was not delivered, or may have been', async () => {
  expect(await toldOf({})).toContain('Subject: Undelivered:');
  expect(await toldOf({ memo: { lostReplies: 1 } })).toContain('Subject: Perhaps undelivered:');
  expect(await toldOf({ inDoubt: true })).toContain('Subject: Perhaps undelivered:');
});

test('bounce() sends what an account has passed on back to that, and tells nobody else', async () => {
  const settled = await settledOf({ recipient: 'ann@example.net', memo: { forwardedBy: 'bob@example.com' } });
  expect(settled?.reports).toEqual([]);
  expect(settled?.results).toMatchObject([
    {
      result: 'retry',
      returned: { account: 'bob@example.com' },
      memo: { returned: { from: 'ann@example.net' } },
    },
  ]);
  expect(settled?.events.map(({ event, recipient }) => `${event} ${recipient}`)).toEqual([
    'failed ann@example.net',
    'redirected bob@example.com',
  ]);
});
