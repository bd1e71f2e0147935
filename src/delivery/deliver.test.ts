import { describe, expect, test } from 'vitest';
import type { ZoneData } from '../dns/zone-data.ts';
import { socketDialler } from '../net/conversation.ts';
import type { NotTried } from '../queue/attempts.ts';
import { Directory } from '../queue/directory.ts';
import type { Queue } from '../queue/queue.ts';
import { defaultRetryPolicy } from '../queue/retry.ts';
import type { SiteTrouble } from '../queue/sites.ts';
import { createDirectAgent } from '../store/delivery-agent.ts';
import type { JobRow } from '../store/job.ts';
import type { MessageRow } from '../store/message.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { type Script, scriptedResolver } from '../testing/scripted-resolver.ts';
import { sampleJob, sampleMessage } from '../testing/store.ts';
import { createLog } from '../util/log.ts';
import { turnstile } from '../util/turnstile.ts';
import { ConnectionPool } from './connections/pool.ts';
import { type DeliverParts, deliver } from './deliver.ts';

const { lifetimeMs } = defaultRetryPolicy;

type Settled = Parameters<Queue['settle']>[0];

const sender = 'sender@example.com';
const people = [sender, 'boss@example.com'];
/** Nobody can make a directory in it. */
const noDirectory = '/dev/null';

interface Circumstances {
  zone?: ZoneData;
  script?: Script;
  message?: Partial<MessageRow>;
  untried?: NotTried;
}

/** Tries jobs and gives what was settled; nothing here goes over a socket. */
const attempt = async (jobs: Partial<JobRow>[], more: Circumstances = {}): Promise<Settled> =>
  (await attemptAtSite(jobs, more)).settled;

/** The same, with what was found out about the site. */
async function attemptAtSite(
  jobs: Partial<JobRow>[],
  { zone = {}, script = {}, message = {}, untried }: Circumstances = {},
): Promise<{ settled: Settled; site: Awaited<ReturnType<typeof deliver>> }> {
  const clock = fakeClock(10_000);
  const settled: Settled[] = [];
  const directory = new Directory({
    domains: [{ name: 'example.com', postmaster: 'boss@example.com' }],
    store: {
      findAccount: async (address) =>
        people.includes(address) ? { address, passwordHash: '', createdAt: 0 } : undefined,
      findAlias: async () => undefined,
      firstAccount: async () => undefined,
      listAliases: async () => [],
    },
  });
  let count = 0;
  const parts: DeliverParts = {
    queue: { settle: async (settlement) => void settled.push(settlement) },
    log: createLog('silent'),
    resolver: scriptedResolver(zone, script),
    route: {
      hostname: 'mx.example.com',
      isOurs: () => false,
      port: 25,
      allowPrivateAddresses: false,
      random: () => 0.5,
      clock,
    },
    send: { pool: new ConnectionPool({ dial: socketDialler({ clock }), clock, ehloName: 'mx.example.com' }) },
    local: {
      dataDir: noDirectory,
      hostname: 'mx.example.com',
      agent: createDirectAgent(),
      turns: turnstile(1),
    },
    report: {
      hostname: 'mx.example.com',
      directory,
      signers: new Map(),
      nextQueueId: () => `R${count++}`,
      clock,
    },
  };
  const group = {
    site: 'x',
    jobCount: jobs.length,
    fresh: false,
    sender: 'sender@example.com',
    expiresAt: 10_000 + lifetimeMs,
    message: sampleMessage('Q1', { message }).message,
    jobs: jobs.map((changes, number) =>
      sampleJob('Q1', { number, expiresAt: 10_000 + lifetimeMs, ...changes }),
    ),
  };
  const site = await deliver(parts, group, new AbortController().signal, untried);
  const [only] = settled;
  if (only === undefined || settled.length !== 1) throw new Error(`settled ${settled.length} times`);
  return { settled: only, site };
}

const refusing: ZoneData = { 'example.net': { MX: [[0, '']] } };
const unsure: Script = { failures: { 'example.net MX': 'servfail' } };

const namesOf = (settled: Settled): string[] => settled.events.map(({ event }) => event);

describe('deliver()', () => {
  test('not-7: P8: what fails for good is done with, and reported in the same transaction', async () => {
    const settled = await attempt([{}], { zone: refusing });
    expect(settled.results).toEqual([{ number: 0, result: 'done' }]);
    expect(namesOf(settled)).toEqual(['routed', 'failed', 'reported', 'reported']);
    expect(
      settled.reports.map(({ message, jobs }) => [message.reversePath, jobs.map((job) => job.recipient)]),
    ).toEqual([
      ['', [sender]],
      ['', ['boss@example.com']],
    ]);
  });

  test('what an operator suspends keeps its last error: that it was suspended is over with the suspension', async () => {
    const untried = { scope: 'all', name: '', by: 'root', at: 5000 } as const;
    const settled = await attempt([{ lastError: '451 4.3.0 Busy' }, {}], { untried });
    expect(settled.results).toMatchObject([
      { result: 'retry', lastError: '451 4.3.0 Busy' },
      { result: 'retry', lastError: '' },
    ]);
  });

  test('not-5: what may still succeed is tried again, and the dossier says when', async () => {
    const settled = await attempt([{}], { script: unsure });
    const nextAttemptAt = 10_000 + 5 * 60_000;
    expect(settled.results).toMatchObject([{ number: 0, result: 'retry', nextAttemptAt }]);
    expect(settled.events.at(-1)).toMatchObject({
      event: 'deferred',
      data: { attempts: 1, nextAttemptAt, status: '4.4.3' },
    });
    expect(settled.reports).toEqual([]);
  });

  test('not-7: what has been tried long enough is given up, and reported', async () => {
    const settled = await attempt([{ attempts: 20, expiresAt: 10_001 }], { script: unsure });
    expect(settled.results).toEqual([{ number: 0, result: 'done' }]);
    expect(settled.events.find(({ event }) => event === 'failed')?.data.rule).toContain('its time is over');
    expect(settled.reports).toHaveLength(2);
  });

  test('not-4: of a message from the null sender, the postmaster alone is told', async () => {
    const settled = await attempt([{}], { zone: refusing, message: { reversePath: '' } });
    expect(settled.results).toEqual([{ number: 0, result: 'done' }]);
    expect(settled.reports).toMatchObject([{ jobs: [{ recipient: 'boss@example.com' }] }]);
  });

  test('not-7: a message that the disk has lost is given up in its time, and reported', async () => {
    const content = { kind: 'spool', path: '/dev/null/lost', sizeBytes: 100_000 } as const;
    const late: Partial<JobRow> = {
      kind: 'local',
      recipient: 'bob@example.com',
      destination: '',
      expiresAt: 1,
    };
    const settled = await attempt([late], { message: { content } });
    expect(settled.results).toEqual([{ number: 0, result: 'done' }]);
    expect(settled.reports).toHaveLength(2);
  });

  test('P8: one report tells of all recipients that failed together', async () => {
    const failing = ['a@example.net', 'b@example.net'];
    const settled = await attempt(
      failing.map((recipient) => ({ recipient })),
      { zone: refusing },
    );
    expect(settled.results).toHaveLength(2);
    expect(settled.reports).toHaveLength(2); // the sender's and the postmaster's
    const { content } = settled.reports[0]?.message ?? {};
    const text = content?.kind === 'inline' ? content.bytes.toString() : '';
    for (const recipient of failing) expect(text).toContain(`Final-Recipient: rfc822;${recipient}`);
  });

  test('P7: a job whose attempt was cut off is in doubt: it is not tried before its time, and others are', async () => {
    const jobs = [{ recipient: 'a@example.net' }, { inDoubt: true }, { recipient: 'b@example.net' }];
    const settled = await attempt(jobs, { script: unsure });
    const due = settled.results.map((result) => (result.result === 'retry' ? result : undefined));
    expect(due).toMatchObject([
      { number: 0, nextAttemptAt: 10_000 + 5 * 60_000 },
      { number: 1, nextAttemptAt: 10_000 + 10 * 60_000, memo: { lostReplies: 1 } },
      { number: 2, nextAttemptAt: 10_000 + 5 * 60_000 },
    ]);
    expect(settled.events.filter(({ event }) => event === 'inDoubt')).toMatchObject([
      {
        recipient: 'recipient@example.net',
        data: { lostReplies: 1, reason: expect.stringContaining('went down') },
      },
    ]);
  });

  test('where all is in doubt nothing is tried, and nothing found out about the site', async () => {
    const { settled, site } = await attemptAtSite([{ inDoubt: true }], { script: unsure });
    expect(namesOf(settled)).toEqual(['inDoubt']);
    expect(site).toBeUndefined();
    expect(settled.holdUntil).toBeUndefined();
  });

  test('P7: one that may have been interrupted is in doubt also where its site is known to be down', async () => {
    const cause: SiteTrouble = {
      kind: 'down',
      at: 0,
      status: '4.4.1',
      phase: 'connecting',
      reason: 'refused',
    };
    const settled = await attempt([{ inDoubt: true }, {}], { untried: cause });
    expect(namesOf(settled)).toEqual(['inDoubt', 'deferred']);
    // What was only put off is no attempt, for whoever reads of it.
    expect(settled.events[1]).toMatchObject({ data: { attempts: 0 } });
    expect(settled.results).toMatchObject([{ memo: { lostReplies: 1 } }, { memo: { putOff: 1 } }]);
    const later = await attempt([{ attempts: 2, memo: { putOff: 1 } }], { script: unsure });
    expect(later.events.at(-1)).toMatchObject({ event: 'deferred', data: { attempts: 2 } });
    expect(later.results).toMatchObject([{ memo: { putOff: 1 } }]);
  });

  test('P7: a local job that was cut off is simply tried again', async () => {
    const local = { kind: 'local', recipient: 'bob@example.com', destination: '', inDoubt: true } as const;
    const settled = await attempt([local]);
    expect(namesOf(settled)).toEqual(['inDoubt', 'deferred']);
  });

  test('not-12: a mailbox that cannot be written to is our trouble, and tried again', async () => {
    const local: Partial<JobRow> = { kind: 'local', recipient: 'bob@example.com', destination: '' };
    const settled = await attempt([local]);
    expect(settled.results).toMatchObject([{ result: 'retry' }]);
    expect(settled.events).toMatchObject([{ event: 'deferred', data: { phase: 'writing to the mailbox' } }]);
  });
});
