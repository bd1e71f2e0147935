import { expect, test } from 'vitest';
import { Directory } from '../queue/directory.ts';
import type { NewMessage } from '../store/queue-store.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { sampleMessage } from '../testing/store.ts';
import { createLog } from '../util/log.ts';
import { expansionReporter } from './expansion.ts';

const expanded = [{ recipient: 'all@example.com' }];

function stage(accept: (entry: Omit<NewMessage, 'claimed'>) => Promise<void>) {
  const logged: unknown[] = [];
  const events: string[] = [];
  const directory = new Directory({
    domains: [{ name: 'example.com' }],
    store: {
      findAccount: async (address) => ({ address, passwordHash: '', createdAt: 0 }),
      findAlias: async () => undefined,
      firstAccount: async () => undefined,
      listAliases: async () => [],
    },
  });
  const report = {
    hostname: 'mx.example.com',
    directory,
    signers: new Map(),
    nextQueueId: () => 'R1',
    clock: fakeClock(),
  };
  const tell = expansionReporter({
    report,
    queue: { accept },
    store: { appendEvents: async (more) => void events.push(...more.map(({ event }) => event)) },
    log: createLog('error', { write: (line) => void logged.push(JSON.parse(line)) }),
  });
  return { tell, logged, events };
}

test('the sender is told that an alias was expanded, and the dossier that it was', async () => {
  const reports: Omit<NewMessage, 'claimed'>[] = [];
  const { tell, events } = stage(async (entry) => void reports.push(entry));
  await tell(sampleMessage('Q1').message, expanded);
  expect(reports.map(({ jobs }) => jobs.map(({ recipient }) => recipient))).toEqual([['sender@example.com']]);
  expect(events).toEqual(['reported']);
});

test('P7: a report that cannot be written is no reason to refuse the message: it is queued', async () => {
  const { tell, logged } = stage(() => Promise.reject(new Error('the disk is full')));
  await tell(sampleMessage('Q1').message, expanded);
  expect(logged).toMatchObject([{ queueId: 'Q1', err: { message: 'the disk is full' } }]);
});
